"""Browser tabs that tests use in turn: the scripts of the app are read and compiled once, not per test."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, Request


class Tabs:
    """Tabs by the address of their server; each is as good as new when a test gets it.

    What a test could leave behind is taken away when it is put back: storage and cookies of the address,
    routes of the test, size and colours of the window. Every ``goto`` begins a new session of the app.
    """

    def __init__(self, browser: Browser, *, patience: float) -> None:
        self._browser = browser
        self._patience = patience
        self._free: dict[str, list[Page]] = {}
        self._used: list[tuple[str, Page]] = []
        self._errors: list[str] = []

    def open(self, address: str, *, width: int = 1400, look: str = "light") -> Page:
        """A tab in which paths belong to ``address``."""
        free = self._free.setdefault(address, [])
        page = free.pop() if free else self._start(address)
        self._used.append((address, page))
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        return page

    def put_back(self) -> list[str]:
        """Clean the tabs that were opened; returns failed scripts and requests to elsewhere since."""
        for address, page in self._used:
            page.unroute_all(behavior="ignoreErrors")
            if page.url.startswith(address):
                page.evaluate("sessionStorage.clear()")
            page.goto("about:blank")
            session = page.context.new_cdp_session(page)
            kinds = "cookies,local_storage,indexeddb,cache_storage,service_workers"
            session.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": kinds})
            session.detach()
            self._free[address].append(page)
        self._used.clear()
        errors, self._errors = self._errors, []
        return errors

    def close(self) -> None:
        """Close all tabs."""
        for pages in self._free.values():
            for page in pages:
                page.context.close()

    def _start(self, address: str) -> Page:
        context = self._browser.new_context(base_url=address, accept_downloads=True)
        context.set_default_timeout(self._patience)
        own = (address, "data:", "blob:", "about:")

        def asked(request: Request) -> None:
            if not request.url.startswith(own):
                self._errors.append(f"request to elsewhere: {request.url}")

        context.on("request", asked)
        page = context.new_page()
        page.on("pageerror", lambda error: self._errors.append(f"script error: {error}"))
        return page

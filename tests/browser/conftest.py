"""A real browser on a real server; a script error on a page or a request to elsewhere fails the test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.serving import ARGUMENTS, PATIENCE, REMEDY, chromium, serve
from tests.browser.tabs import Tabs
from tracin_viz.config import Home
from tracin_viz.jobs.query_client import QueryClient

BROWSER_TESTS = Path(__file__).parent
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, so that ``-m "not browser"`` leaves them out."""
    for item in items:
        if BROWSER_TESTS in item.path.parents:
            item.add_marker(pytest.mark.browser)


# Of this package, not of the session: Playwright keeps an event loop running for as long as it is open, and
# tests elsewhere start their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    try:
        path = chromium()
    except FileNotFoundError:
        where = "This CI machine has no browser. " if os.environ.get("CI") else ""
        pytest.fail(where + REMEDY)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def tabs(browser: Browser) -> Iterator[Tabs]:
    kept = Tabs(browser, patience=PATIENCE)
    yield kept
    kept.close()


@pytest.fixture
def open_page(tabs: Tabs) -> Iterator[Callable[..., Page]]:
    """Opens pages of one address; nothing else may be asked for, and no script may fail."""
    yield tabs.open
    assert not (errors := tabs.put_back()), errors


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server-logs")


@pytest.fixture(scope="session")
def demo_server(demo_home: Path, logs: Path) -> Iterator[str]:
    with serve(demo_home, log=logs / "demo.log") as address:
        # The first page would wait for torch, data and model too: seconds, and many where cores are busy.
        QueryClient(Home(demo_home)).ask("warm", {"audit": "digits"}, session="tests")
        yield address

"""An audit whose class names, file names, title and views look like markup: letters on every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import tiny
from tests.browser.serving import serve
from tests.browser.test_pages import HEADINGS, healthy
from tests.conftest import end_query_process, run_command
from tracin_viz.audit import Workspace
from tracin_viz.config import Home

OpenPage = Callable[..., Page]
CLASSES = (
    "<img src=x onerror=window.hit=1>",
    "**bold** [click](javascript:window.hit=2) :red[x] $y^2$",
    "مرحبا 😀 " + "long" * 20,
)
VIEW = "<script>window.hit=3</script> [a](https:evil)"
#: What the names would be if anything took them for markup.
TAKEN = 'img[src="x"], a[href^="javascript"], a[href*="evil"]:not([href*="view"]), main .katex'


@pytest.fixture
def server(tmp_path: Path, logs: Path) -> Iterator[str]:
    data = tiny.write_images(tmp_path / "data", train=8, test=3, classes=CLASSES)
    first = sorted((data / "test" / CLASSES[0]).iterdir())[0]
    first.rename(first.with_name("<b onclick=window.hit=4>x.png"))
    run = tiny.train_run(tmp_path / "run", data, classes=CLASSES)
    home = tmp_path / "home"
    made = run_command("create", "hostile", "--data", str(data), "--model", str(run), home=home)
    assert made.code == 0, made.err
    done = run_command("compute", "hostile", "--sketch-dim", "256", home=home)
    assert done.code == 0, done.err
    space = Workspace(Home(home))
    space.open("hostile").views.save(VIEW, "suspects", {"audit": "hostile", "class": CLASSES[0]})
    with serve(home, log=logs / "hostile.log") as address:
        yield address
    end_query_process(home)


def test_names_are_letters_on_every_page_and_break_no_layout(open_page: OpenPage, server: str):
    page = open_page(server, width=390)
    for path in HEADINGS:
        page.goto(f"/{path}?audit=hostile")
        healthy(page, path)
        assert page.locator(TAKEN).count() == 0, path
        widths = page.evaluate(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            " return main.scrollWidth - main.clientWidth; }"
        )
        assert widths == 0, path
    page.goto(f"/suspects?audit=hostile&class={CLASSES[0]}")
    expect(page.get_by_text(CLASSES[0]).first).to_be_visible()
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("link", name=VIEW)).to_be_visible()
    assert page.evaluate("window.hit") is None

"""An audit whose class names, file names, title and views look like markup: letters on every page."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import tiny
from tests.browser.relabelling import begin, without_pushed
from tests.browser.serving import serve
from tests.browser.test_pages import HEADINGS, healthy
from tests.conftest import end_query_process, run_command
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.fingerprint import in_address
from tracin_viz.ui.short import short

#: Height of the tallest element with words of its own, also inside components.
TALLEST = """() => {
  const tallest = (root) => Math.max(0, ...[...root.querySelectorAll("*")].map((one) => {
    const words = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const inside = one.shadowRoot ? tallest(one.shadowRoot) : 0;
    return Math.max(words ? one.getBoundingClientRect().height : 0, inside);
  }));
  return tallest(document.querySelector("[data-testid=stMain]"));
}"""
OpenPage = Callable[..., Page]
CLASSES = (
    "<img src=x onerror=window.hit=1>",
    "**bold** [click](javascript:window.hit=2) :red[x] $y^2$",
    "W" * 10_000,
)
#: A folder cannot be called by ten thousand signs: a table beside the images names that class.
FOLDERS = (*CLASSES[:2], "\u202eمرحبا 😀")
VIEW = "<script>window.hit=3</script> [a](https:evil)"
#: What the names would be if anything took them for markup.
TAKEN = 'img[src="x"], a[href^="javascript"], a[href*="evil"]:not([href*="view"]), main .katex'


@pytest.fixture
def server(tmp_path: Path, logs: Path) -> Iterator[str]:
    data = tiny.write_images(tmp_path / "data", train=8, test=3, classes=FOLDERS)
    first = sorted((data / "test" / FOLDERS[0]).iterdir())[0]
    first.rename(first.with_name("<b onclick=window.hit=4>x.png"))
    run = tiny.train_run(tmp_path / "run", data, classes=FOLDERS)
    name_classes(data, run)
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


def name_classes(data: Path, run: Path) -> None:
    """Call the classes ``CLASSES`` in the data and in the model."""
    named = dict(zip(FOLDERS, CLASSES, strict=True))
    with (data / "metadata.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("file_name", "label", "split"))
        for path in sorted(data.rglob("*.png")):
            split, folder, _ = path.relative_to(data).parts
            table.writerow((path.relative_to(data).as_posix(), named[folder], split))
    for path in run.rglob("config.json"):
        config = json.loads(path.read_text())
        config["id2label"] = {str(place): name for place, name in enumerate(CLASSES)}
        config["label2id"] = {name: place for place, name in enumerate(CLASSES)}
        path.write_text(json.dumps(config))


def check(page: Page, path: str) -> None:
    """Nothing was taken for markup, nothing scrolls sideways, no words are taller than the window."""
    assert page.locator(TAKEN).count() == 0, path
    widths = page.evaluate(
        "() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth; }"
    )
    assert widths == 0, path
    assert page.evaluate(TALLEST) < 900, path


def test_names_are_letters_on_every_page_and_break_no_layout(open_page: OpenPage, server: str):
    page = open_page(server, width=390)
    for path in HEADINGS:
        page.goto(f"/{path}?audit=hostile")
        healthy(page, path)
        check(page, path)
    without_pushed(page)
    begin(page, "ada", "/relabel?audit=hostile")
    check(page, "relabel, at work")
    page.goto(f"/influence?audit=hostile&answer={in_address(CLASSES[2])}")
    healthy(page, "influence")
    expect(page.get_by_role("combobox", name="Explain the answer")).to_have_value(short(CLASSES[2]))
    assert len(page.url) < 200
    page.goto(f"/suspects?audit=hostile&class={CLASSES[0]}")
    expect(page.get_by_text(CLASSES[0]).first).to_be_visible()
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("link", name=VIEW)).to_be_visible()
    assert page.evaluate("window.hit") is None

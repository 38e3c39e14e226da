"""Own data in a real browser: upload with a break, preview, report, own queries."""

from __future__ import annotations

import csv
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from benchmarks.acceptance_upload import look_at_images, send_file, write_file, write_images
from tests import tiny
from tests.browser.serving import serve, settle
from tests.conftest import TinyFiles, end_query_process, run_command
from tests.models.conftest import words, write_run
from tests.ui.hostile import HOSTILE

OpenPage = Callable[..., Page]
PIECE = 8 << 20


@pytest.fixture(scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with the computed audit ``sentences`` of a small text model."""
    from transformers import DistilBertConfig

    base = tmp_path_factory.mktemp("own")
    config = DistilBertConfig(
        vocab_size=20, dim=16, hidden_dim=32, n_layers=1, n_heads=2, max_position_embeddings=12,
        id2label={0: "light", 1: "timer"}, label2id={"light": 0, "timer": 1},
    )  # fmt: skip
    run = write_run(base / "run", config, kind="DistilBertForSequenceClassification", inputs=words())
    rows = [
        f"turn the light on {n},light" if n % 2 else f"set a timer for {n} minutes,timer" for n in range(40)
    ]
    (base / "texts.csv").write_text("\n".join(["text,label", *rows]))
    home = base / "home"
    files = ("--data", str(base / "texts.csv"), "--model", str(run))
    for command in (("create", "sentences", *files), ("compute", "sentences", "--sketch-dim", "64")):
        done = run_command(*command, home=home)
        assert done.code == 0, done.err
    yield home
    end_query_process(home)


@pytest.fixture(scope="session")
def own_server(own_home: Path, logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    roots = str(tmp_path_factory.getbasetemp())
    limits = {"TRACIN_VIZ_ROOTS": roots, "TRACIN_VIZ_MAX_UPLOAD_BYTES": str(64 << 20)}
    with serve(own_home, log=logs / "own.log", **limits) as address:
        yield address


def begin(page: Page) -> None:
    page.goto("/")
    page.locator(".st-key-begin_own button").click()
    expect(page.get_by_role("heading", name="What are your data and your model?")).to_be_visible()
    settle(page)


def type_path(page: Page, what: str, path: Path) -> None:
    page.get_by_label(f"Path of the {what}").fill(str(path))
    page.get_by_label(f"Path of the {what}").press("Enter")


def next_step(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").click()
    expect(page.locator(f".st-key-{key}")).to_have_count(0)
    settle(page)


def test_a_zip_in_broken_pieces_and_a_folder_become_an_audit(
    open_page: OpenPage, own_server: str, own_home: Path, tiny_files: TinyFiles, tmp_path: Path
):
    archive = tmp_path / "shapes.zip"
    noise = np.random.default_rng(0).bytes(PIECE + 1_000_000)  # so that the archive takes two pieces
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted((tiny_files.data / "train").rglob("*.png")):
            target.write(path, path.relative_to(tiny_files.data / "train"))
        target.writestr("notes.txt", noise)
    page = open_page(own_server)
    begin(page)
    broken = []

    def breaks(route: Route) -> None:
        if "offset=" in route.request.url and len(broken) < 2:
            broken.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/upload/**", breaks)
    page.get_by_role("radio", name="Upload").or_(page.get_by_role("button", name="Upload")).first.click()
    page.locator("input[type=file].file").set_input_files(archive)
    expect(page.get_by_text("Is this what you expect?")).to_be_visible()
    assert len(broken) == 2
    (arrived,) = (own_home / "uploads").glob("*/data/shapes.zip")
    assert arrived.read_bytes() == archive.read_bytes()
    expect(page.locator(".st-key-own_examples .card img").first).to_be_visible()
    assert page.locator(".st-key-own_examples .card").count() == 10
    assert {text.strip() for text in page.locator(".st-key-own_examples .given").all_inner_texts()} == {
        *tiny.CLASSES
    }
    page.get_by_text("How are the files read?").click()
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_role("button", name="Read them this way").click()
    expect(page.get_by_role("button", name="Back to the guess")).to_be_visible()
    next_step(page, "next_model")
    page.get_by_role("radio", name="Upload").or_(page.get_by_role("button", name="Upload")).first.click()
    page.locator("input[type=file].folder").set_input_files(tiny_files.model)
    expect(page.get_by_text("Is this your model?")).to_be_visible()
    next_step(page, "next_check")
    with page.expect_download() as download:
        page.locator(".st-key-report_csv button").click()
    assert Path(download.value.path()).read_text().startswith("severity,kind,where,message,remedy\n")
    page.get_by_label("Name").fill("uploaded")
    page.get_by_label("Name").press("Enter")
    settle(page)
    page.locator(".st-key-create button").click()
    expect(page.get_by_role("heading", name="What is computed, and how far is it?")).to_be_visible()
    expect(page.get_by_role("button", name="Start computing")).to_be_visible()
    assert (own_home / "audits" / "uploaded" / "audit.json").is_file()


def test_an_upload_can_be_cancelled_by_keyboard_and_too_much_is_refused(
    open_page: OpenPage, own_server: str, own_home: Path, tmp_path: Path
):
    large = tmp_path / "large.zip"
    with large.open("wb") as target:
        target.truncate(65 << 20)
    small = tmp_path / "stuck.zip"
    small.write_bytes(b"x" * 1000)
    before = set((own_home / "uploads").glob("*"))
    page = open_page(own_server)
    begin(page)
    page.get_by_role("radio", name="Upload").or_(page.get_by_role("button", name="Upload")).first.click()
    page.locator("input[type=file].file").set_input_files(large)
    expect(page.get_by_text("may be uploaded at once")).to_be_visible()
    page.keyboard.press("Enter")  # the button "Close" has the focus
    page.route("**/upload/*/*", lambda route: route.abort())
    page.locator("input[type=file].file").set_input_files(small)
    expect(page.get_by_text("The connection broke")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Choose a file")).to_be_visible()
    assert set((own_home / "uploads").glob("*")) == before


@pytest.mark.long
def test_three_planted_mistakes_are_named_with_place_and_remedy(
    open_page: OpenPage, own_server: str, tiny_files: TinyFiles, tmp_path: Path
):
    data, other = tmp_path / "data", tmp_path / "other"
    told = dict(zip(tiny.CLASSES, ("cross", "ring", "bar"), strict=True))  # first mistake: names exchanged
    for split in ("train", "test"):
        for kind in tiny.CLASSES:
            shutil.copytree(tiny_files.data / split / kind, data / split / told[kind])
    (data / "train" / "ring" / "003.png").write_bytes(b"no picture")  # second
    run = tiny.train_run(tmp_path / "run", tiny_files.data, rate=0.3)  # learned enough for its order to show
    shutil.copytree(run, other)  # third: one checkpoint of a network with two classes
    two = tiny.train_run(tmp_path / "two", tiny.write_images(tmp_path / "few", classes=("bar", "cross")),
                         classes=("bar", "cross"))  # fmt: skip
    shutil.copy(two / "checkpoint-8" / "model.safetensors", other / "checkpoint-8" / "model.safetensors")
    page = open_page(own_server)
    begin(page)
    type_path(page, "data", data)
    expect(page.get_by_text("Is this what you expect?")).to_be_visible()
    page.locator(".st-key-data_problems summary").click()
    table = page.locator(".st-key-data_problems")
    expect(table.get_by_text("nreadable").first).to_be_visible()
    expect(table.get_by_test_id("stDataFrame").first).to_be_visible()
    next_step(page, "next_model")
    type_path(page, "model", other)
    error = page.locator(".st-key-model_error")
    # Invisible joiners stand between the signs, so that nothing in a file name is read as Markdown.
    expect(
        error.get_by_text(re.compile("checkpoint.*8.*model.*safetensors.*is 2×8, not 3×8"))
    ).to_be_visible()
    expect(error.get_by_text("What to do").first).to_be_visible()
    expect(page.locator(".st-key-next_check")).to_have_count(0)
    type_path(page, "model", run)
    next_step(page, "next_check")
    expect(page.get_by_text("if its outputs are named in another order").first).to_be_visible()
    expect(page.get_by_text("Put the class names into the order of the training").first).to_be_visible()
    with page.expect_download() as download:
        page.locator(".st-key-report_csv button").click()
    report = Path(download.value.path()).read_text()
    assert "class order" in report and "003.png" in report


def test_hostile_names_and_texts_stay_letters(open_page: OpenPage, own_server: str, tmp_path: Path):
    folder = tmp_path / "[x](https:evil.example) **bold**"
    folder.mkdir()
    table = folder / "a.csv"
    with table.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["![text](https://evil.example/t.png)", "<img src=x onerror=window.hit=1> label"])
        writer.writerows(
            [f"{words} {number}", HOSTILE[number % 3]] for number in range(9) for words in HOSTILE
        )
    page = open_page(own_server)
    begin(page)
    type_path(page, "data", table)
    expect(page.get_by_text("Is this what you expect?")).to_be_visible()
    page.get_by_text("How are the files read?").click()
    page.get_by_text("Examples of each class").click()
    page.get_by_role("button", name="Browse").click()
    settle(page)
    expect(page.locator(".st-key-own_examples .card").first).to_be_visible()
    assert page.locator("a[href*=evil], img[src*=evil], img[src=x], script[src*=evil]").count() == 0
    assert page.evaluate("window.hit") is None


def test_an_upload_does_not_pass_through_memory_and_the_app_answers_meanwhile(
    open_page: OpenPage, own_server: str, logs: Path, tmp_path: Path
):
    pid = int((logs / "own.pid").read_text())
    page = open_page(own_server)
    watch = send_file(page, pid, own_server, write_file(tmp_path / "large.bin", 20))
    # Kept in memory it would be 20 MB at least, and a request body in one piece twice that.
    assert watch.most - watch.first < 15
    other = open_page(own_server)
    watch, seconds = look_at_images(other, pid, own_server, write_images(tmp_path / "images", 1000))
    assert watch.most < 500
    # A look in the app's own process would keep others waiting for as long as it takes.
    assert watch.slowest < max(5.0, seconds / 2)


@pytest.mark.long
def test_a_typed_sentence_is_explained_without_and_with_a_label(open_page: OpenPage, own_server: str):
    page = open_page(own_server)
    page.goto("/influence?audit=sentences")
    settle(page)
    page.get_by_role("button", name="Your own sentence").click()
    page.get_by_role("textbox", name="Sentence").fill("turn the light on")
    page.get_by_role("button", name="Explain it").click()
    card = page.locator(".st-key-query_card")
    expect(card.get_by_text("turn the light on")).to_be_visible()
    expect(page.get_by_text("Its right label is not known").first).to_be_visible()
    expect(page.locator(".st-key-list_proponents .card").first).to_be_visible()
    settle(page)
    if not page.locator(".st-key-own_label").is_visible():
        page.get_by_role("button", name="Your own sentence").click()
    page.locator(".st-key-own_label input").click()
    page.get_by_role("option", name="timer").click()
    page.get_by_role("button", name="Explain it").click()
    expect(page.get_by_text("Its right label is not known")).to_have_count(0)
    # An invisible joiner stands before a name, so that nothing in it is read as Markdown.
    expect(page.get_by_role("heading", name=re.compile("▲ For “.?timer”"))).to_be_visible()

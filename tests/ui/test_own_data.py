"""From files to an audit in three steps, by Streamlit's own harness: previews, mistakes, kept choices."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests import tiny
from tests.conftest import TinyFiles
from tests.ui.test_pages import healthy, labels, said
from tracin_viz.audit.roots import VARIABLE
from tracin_viz.config import HOME_VARIABLE
from tracin_viz.ui.session import workspace

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


class Visitor:
    """A person on the page of their own data."""

    def __init__(self) -> None:
        self.app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=240)
        self.app.switch_page("own.py")
        self.app.run()
        healthy(self.app, "own")

    def types(self, label: str, value: str) -> None:
        next(field for field in self.app.text_input if field.label == label).set_value(value).run()
        self.settled()

    def clicks(self, label: str, *, and_settles: bool = True) -> None:
        next(button for button in self.app.button if button.label == label).click().run()
        if and_settles:  # the harness would go back from the page that it was sent to
            self.settled()

    def settled(self) -> None:
        """Draw the page again once every look has ended."""
        deadline = time.monotonic() + PATIENCE
        while workspace().looks.busy:
            assert time.monotonic() < deadline, "a look does not end"
            time.sleep(0.05)
        self.app.run()
        assert not self.app.exception
        assert "should not have" not in said(self.app)

    def says(self, *words: str) -> None:
        text = said(self.app)
        for word in words:
            assert word in text, (word, text)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv(VARIABLE, str(tmp_path.parent.parent.parent))
    return tmp_path


def address(person: Visitor, name: str) -> str:
    """A parameter of the page's address; the harness holds it as a text or as a list of one."""
    value = person.app.query_params[name]
    return value if isinstance(value, str) else value[0]


def registered(place: Path) -> list[str]:
    return sorted(path.name for path in (place / "home" / "audits").glob("[!.]*"))


def test_from_two_paths_to_an_audit_with_a_switched_off_checkpoint(place: Path, tiny_files: TinyFiles):
    person = Visitor()
    person.types("Path of the data", str(tiny_files.data))
    person.says("Image folder", "48", "15", "3 classes")
    person.clicks("Next: the model")
    person.types("Path of the model", str(tiny_files.model))
    person.says("ResNetForImageClassification", "3 checkpoints", "same classes")
    person.clicks("Next: check that they fit")
    person.says("Tried on 63 examples")
    assert registered(place) == []
    person.types("Name", "mine")
    person.clicks("Create the audit", and_settles=False)
    healthy(person.app, "2_compute")
    assert registered(place) == ["mine"]
    assert "Start computing" in labels(person.app)
    audit = workspace().open("mine")
    assert audit.splits == {"train": 48, "test": 15}
    assert audit.notes["seconds_per_example"] > 0
    assert list((place / "home" / "drafts").glob("*")) == []


def test_a_reload_and_going_back_lose_nothing(place: Path, tiny_files: TinyFiles):
    person = Visitor()
    person.types("Path of the data", str(tiny_files.data))
    person.clicks("Next: the model")
    person.types("Path of the model", str(tiny_files.model))
    draft = address(person, "draft")
    again = Visitor()
    again.app.query_params["draft"] = draft
    again.app.query_params["step"] = "check"
    again.app.run()
    again.settled()
    again.says("Tried on 63 examples")
    again.app.query_params["step"] = "data"
    again.app.run()
    assert next(f for f in again.app.text_input if f.label == "Path of the data").value == str(
        tiny_files.data
    )


def test_a_place_outside_the_roots_is_refused_and_the_roots_are_named(
    place: Path, tiny_files: TinyFiles, monkeypatch: pytest.MonkeyPatch
):
    (place / "allowed").mkdir()
    (place / "allowed" / "link").symlink_to(tiny_files.data)
    monkeypatch.setenv(VARIABLE, str(place / "allowed"))
    person = Visitor()
    for path in (str(tiny_files.data), "/etc", f"{place}/allowed/../..", f"{place}/allowed/link"):
        person.types("Path of the data", path)
        person.says("outside the folders", str(place / "allowed"), "What to do")
        assert "Next: the model" not in labels(person.app)


def test_another_network_is_named_with_its_keys_and_nothing_is_registered(place: Path, tiny_files: TinyFiles):
    run = place / "run"
    shutil.copytree(tiny_files.model, run)
    other = tiny.train_run(place / "other", tiny_files.data)
    config = (run / "checkpoint-4" / "config.json").read_text().replace("[\n    4,\n    8\n  ]", "[4, 16]")
    for folder in run.iterdir():
        (folder / "config.json").write_text(config)
    assert other.is_dir()
    person = Visitor()
    person.types("Path of the data", str(tiny_files.data))
    person.clicks("Next: the model")
    person.types("Path of the model", str(run))
    person.says("What to do")
    assert any("shape" in word or "belong" in word for word in [said(person.app)])
    assert "Next: check that they fit" not in labels(person.app)
    assert registered(place) == []


def test_the_output_count_of_another_network_is_named_with_its_checkpoint(place: Path, tiny_files: TinyFiles):
    run = place / "run"
    shutil.copytree(tiny_files.model, run)
    two = ("bar", "cross")
    other = tiny.train_run(place / "other", tiny.write_images(place / "two", classes=two), classes=two)
    shutil.copy(other / "checkpoint-8" / "model.safetensors", run / "checkpoint-8" / "model.safetensors")
    person = Visitor()
    person.types("Path of the data", str(tiny_files.data))
    person.clicks("Next: the model")
    person.types("Path of the model", str(run))
    assert re.search("checkpoint.*8.*model.*safetensors.*is 2×8, not 3×8", said(person.app))
    person.says("What to do")
    assert "Next: check that they fit" not in labels(person.app)


def test_broken_images_are_listed_and_the_others_are_taken(place: Path, tiny_files: TinyFiles):
    data = place / "data"
    shutil.copytree(tiny_files.data, data)
    (data / "train" / "ring" / "003.png").write_bytes(b"no picture")
    person = Visitor()
    person.types("Path of the data", str(data))
    person.says("nreadable", "47")
    assert any("train/ring/003.png" in table.value.to_string() for table in person.app.dataframe)
    assert "Next: the model" in labels(person.app)


def test_a_wrong_class_order_is_named_with_what_to_do(place: Path, tiny_files: TinyFiles):
    told = dict(zip(tiny.CLASSES, ("cross", "ring", "bar"), strict=True))
    for split in ("train", "test"):
        for kind in tiny.CLASSES:
            shutil.copytree(tiny_files.data / split / kind, place / "data" / split / told[kind])
    model = tiny.train_run(place / "run", tiny_files.data, rate=0.3)  # learned enough for its order to show
    person = Visitor()
    person.types("Path of the data", str(place / "data"))
    person.clicks("Next: the model")
    person.types("Path of the model", str(model))
    person.clicks("Next: check that they fit")
    person.says("if its outputs are named in another order")
    person.says("Put the class names into the order of the training")


def test_a_table_with_columns_of_any_name_is_guessed_and_can_be_read_otherwise(place: Path):
    table = place / "reviews.csv"
    rows = [
        f"{'good' if number % 3 else 'bad'} film {number},{'yes' if number % 3 else 'no'},{'ab'[number % 2]}"
        for number in range(60)
    ]
    table.write_text("\n".join(["review,label,group", *rows]))
    person = Visitor()
    person.types("Path of the data", str(table))
    person.says("2 classes")
    label = next(box for box in person.app.selectbox if box.label == "Column of the label")
    assert label.value == "label"
    label.set_value("group")
    person.clicks("Read them this way")
    draft = workspace().drafts.read(address(person, "draft"))
    assert draft.mapping["label"] == "group"
    assert workspace().look_for(draft, "data").found["classes"] == ["a", "b"]


def test_labels_that_are_numbers_are_named_and_lead_on_to_the_model(place: Path):
    table = place / "prices.csv"
    table.write_text(
        "\n".join(["size,rooms,price", *(f"{n * 1.5},{n % 7},{n * 1.37 + 0.01}" for n in range(80))])
    )
    person = Visitor()
    person.types("Path of the data", str(table))
    person.says("a number to predict")
    assert "Next: the model" in labels(person.app)


def test_names_that_are_taken_or_cannot_be_are_refused(place: Path, tiny_files: TinyFiles):
    workspace().create("taken", data=tiny_files.data, model=tiny_files.model)
    person = Visitor()
    person.types("Path of the data", str(tiny_files.data))
    person.clicks("Next: the model")
    person.types("Path of the model", str(tiny_files.model))
    person.clicks("Next: check that they fit")
    for name, says in (("taken", "exists already"), ("../x", "cannot be the name")):
        person.types("Name", name)
        next(button for button in person.app.button if button.label == "Create the audit").click().run()
        person.says(says)
    assert registered(place) == ["taken"]

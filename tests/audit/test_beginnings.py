"""Before an audit: drafts that survive, folders that may be opened, looks that block nobody."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.jobs.processes import wait_until
from tracin_viz.audit import Workspace, advice, inside_roots, listing, roots, size_of_run
from tracin_viz.audit.drafts import AGE, Drafts
from tracin_viz.audit.roots import TRUST_VARIABLE, VARIABLE, code_is_trusted
from tracin_viz.config import CheckpointInfo, Home
from tracin_viz.errors import CancelledError, InputError, NotFoundError


@pytest.fixture
def drafts(tmp_path: Path) -> Drafts:
    return Drafts(tmp_path / "drafts")


def test_a_draft_is_kept_as_it_is_after_every_choice(drafts: Drafts):
    draft = drafts.new()
    changed = replace(
        draft, data="/d", mapping={"label": "x"}, learning_rates=(0.1, 0.2), rows={"4": {"use": False}}
    )
    drafts.write(changed)
    assert drafts.read(draft.id) == changed
    assert changed.chosen_rows() == [{"step": 4, "use": False}]
    drafts.remove(draft.id)
    with pytest.raises(NotFoundError):
        drafts.read(draft.id)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"data": 3, "nonsense": 1', "null"])
def test_a_damaged_draft_is_no_draft(drafts: Drafts, content: str):
    draft = drafts.new()
    (drafts._folder / f"{draft.id}.json").write_text(content)
    with pytest.raises(NotFoundError):
        drafts.read(draft.id)


@pytest.mark.parametrize("identifier", ["", "../x", "0" * 11, "G" * 12, "0" * 12])
def test_what_is_no_draft_is_not_looked_for(drafts: Drafts, identifier: str):
    with pytest.raises(NotFoundError):
        drafts.read(identifier)
    drafts.remove(identifier)


def test_old_drafts_go_when_a_new_one_begins(drafts: Drafts):
    old, young = drafts.new(), drafts.new()
    path = drafts._folder / f"{old.id}.json"
    os.utime(path, (time.time() - AGE - 60,) * 2)
    drafts.new()
    assert not path.exists()
    assert drafts.read(young.id)


def test_uploads_of_audits_and_drafts_stay_when_old_ones_go(tmp_path: Path):
    space = Workspace(Home(tmp_path))

    def uploaded(name: str) -> str:
        identifier = space.uploads.begin([{"path": name, "size": 1, "changed": 1}]).id
        space.uploads.writer(identifier, 0, 0).write(b"x")
        return space.uploads.finish(identifier).id

    wanted, forgotten = uploaded("a"), uploaded("b")
    space.drafts.write(replace(space.drafts.new(), data=str(space.uploads.path(wanted))))
    (space.home.root / "drafts" / "000000000000.json").write_text("damaged")
    for path in space.uploads.folder.rglob("*"):
        os.utime(path, (1.0, 1.0))
    assert space.sweep_uploads() == [forgotten]
    assert space.uploads.path(wanted).read_bytes() == b"x"


def test_only_the_configured_folders_may_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside / "data", outside, tmp_path / "inside-not"):
        folder.mkdir(parents=True)
    (inside / "way-out").symlink_to(outside)
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(inside), str(tmp_path / "missing")]))
    assert roots() == (inside, tmp_path / "missing")
    assert inside_roots(str(inside / "data")) == inside / "data"
    assert inside_roots(str(outside), also=[outside]) == outside
    for path in (
        outside,
        inside / "way-out",
        f"{inside}/../outside",
        tmp_path / "inside-not",
        "/",
        "~root/x",
        "a\0b",
    ):
        with pytest.raises(InputError) as refused:
            inside_roots(str(path))
        assert refused.value.remedy
    with pytest.raises(InputError, match=str(inside)):
        inside_roots("/etc/passwd")


def test_the_home_and_the_current_folder_are_the_usual_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert roots() == (tmp_path,)
    (tmp_path / "x").mkdir()
    assert inside_roots("~/x") == inside_roots("x") == tmp_path / "x"


def test_a_listing_has_folders_first_and_nothing_hidden(tmp_path: Path):
    for name in ("b", "A", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "0.csv").write_text("xyz")
    found = listing(tmp_path)
    assert [(entry.name, entry.is_folder, entry.size) for entry in found] == [
        ("A", True, 0), ("b", True, 0), ("0.csv", False, 3)
    ]  # fmt: skip
    with pytest.raises(InputError):
        listing(tmp_path / "nothing")


def test_code_is_run_only_where_the_server_was_told_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(TRUST_VARIABLE, raising=False)
    assert not code_is_trusted()
    monkeypatch.setenv(TRUST_VARIABLE, "0")
    assert not code_is_trusted()
    monkeypatch.setenv(TRUST_VARIABLE, "1")
    assert code_is_trusted()


@pytest.mark.usefixtures("looked_elsewhere")
def test_a_look_blocks_nobody_is_made_once_and_can_be_stopped(tmp_path: Path):
    folder = tmp_path / "data"
    for split in ("train", "test"):
        for kind in ("a", "b"):
            (folder / split / kind).mkdir(parents=True)
    space = Workspace(Home(tmp_path / "home"))
    draft = replace(space.drafts.new(), data=str(folder))
    look = space.look_for(draft, "data")
    assert look.running, "its process has hardly begun when the page goes on"
    assert space.look_for(draft, "data") is look
    look.cancel()
    wait_until(lambda: not look.running)
    assert isinstance(look.error, CancelledError)
    assert space.look_for(draft, "data") is not look, "a stopped look begins anew when it is asked for again"


def checkpoints(*losses: float | None) -> list[CheckpointInfo]:
    return [
        CheckpointInfo(step=10 * place, path="x", learning_rate=0.1, provenance="p", train_loss=loss)
        for place, loss in enumerate(losses, 1)
    ]


def test_steep_checkpoints_are_suggested_and_converged_ones_warned_about():
    found = advice(checkpoints(2.0, 1.4, 0.9, 0.5, 0.3, 0.2, 0.02), classes=10)
    assert found.known
    assert 70 in found.warnings
    assert 70 not in found.suggested
    assert len(found.suggested) == 5
    unknown = advice(checkpoints(None, None), classes=2)
    assert (unknown.known, unknown.suggested, unknown.warnings) == (False, (10, 20), {})


def test_the_size_of_a_run_grows_with_examples_checkpoints_and_sketch():
    seconds, size = size_of_run({"train": 1000, "test": 500}, 4, 2048, 0.001)
    assert seconds == pytest.approx(30.0)
    assert 6000 * 2 * 2048 < size < 6000 * 2 * 2048 * 1.3
    assert size_of_run({"train": 10}, 1, 256, None)[0] is None

"""Pictures come into an export byte for byte, however the system takes them, all of them or none."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.relabel.exports.labels import tree
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home
from tracin_viz.data.dataset import open_dataset
from tracin_viz.errors import InputError, StoreError
from tracin_viz.relabel.exports import placing
from tracin_viz.relabel.exports.table import rows
from tracin_viz.relabel.exports.writing import Subject, write

FORMATS = ("imagefolder", "images")


@pytest.fixture
def audit(created_home: Path) -> Audit:
    return Workspace(Home(created_home)).open("tiny")


def refusing(number: int):
    """A system that cannot copy, or that fails."""

    def answer(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    return answer


def test_a_copy_by_the_system_equals_one_that_was_read_and_written(audit, tmp_path, monkeypatch):
    quick = {name: tree(audit.export(name, tmp_path / f"quick-{name}")) for name in FORMATS}
    for how in (refusing(errno.EXDEV), lambda *_: 0):  # another disk; a file that just lost its content
        monkeypatch.setattr(placing.os, "copy_file_range", how, raising=False)
        for name in FORMATS:
            folder = tmp_path / f"slow-{name}-{id(how)}"
            assert tree(audit.export(name, folder)) == quick[name]
    monkeypatch.setattr(placing.os, "link", refusing(errno.EXDEV))
    assert tree(audit.export("images", tmp_path / "unlinked", links="hard")) == quick["images"]


def test_a_full_disk_leaves_nothing_and_is_said(audit, tmp_path, monkeypatch):
    if hasattr(os, "copy_file_range"):
        monkeypatch.setattr(placing.os, "copy_file_range", refusing(errno.ENOSPC))
    else:
        monkeypatch.setattr(placing.os, "write", refusing(errno.ENOSPC))
    for name in FORMATS:
        with pytest.raises(StoreError, match="No space left"):
            audit.export(name, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_a_part_at_a_time_gets_all_of_it(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(placing.os, "write", lambda to, content: write(to, bytes(content[:7])))
    placing._written(str(tmp_path / "one"), bytes(range(100)))
    assert (tmp_path / "one").read_bytes() == bytes(range(100))


@pytest.mark.parametrize("name", [*FORMATS, "csv", "hf", "label-studio"])
def test_an_export_says_how_far_it_is_and_one_that_is_stopped_leaves_nothing(audit, tmp_path, name):
    heard: list[tuple[int, int]] = []
    audit.export(name, tmp_path / "whole", told=lambda done, total: heard.append((done, total)))
    done = [one for one, _ in heard]
    assert done == sorted(done) and heard[-1][0] == heard[-1][1] >= 48

    class Stop(BaseException):
        """What a page raises when its visitor goes on."""

    def stop(done: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        audit.export(name, tmp_path / "stopped", told=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_picture_that_is_gone_is_named_and_nothing_is_left(tiny_files, tmp_path):
    data, made = tmp_path / "data", tmp_path / "made"
    shutil.copytree(tiny_files.data, data)
    dataset = open_dataset(data)
    examples = pd.DataFrame({"id": ["train:3"], "source": ["train/bar/003.png"], "label": ["bar"]})
    (data / "train/bar/003.png").unlink()
    for links in placing.LINKS:
        with pytest.raises(InputError, match=r"003\.png"):
            write(rows(examples, {}), "images", made / "out", Subject(dataset, links))
    assert list(made.iterdir()) == []

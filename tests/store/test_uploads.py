"""Uploads: whole or absent, resumable at every byte, inside their folder, within their limits."""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path

import pytest

from tracin_viz.errors import InputError, NotFoundError, StoreError
from tracin_viz.store import upload_limits
from tracin_viz.store.upload_limits import UploadLimits
from tracin_viz.store.uploads import UNFINISHED_AGE, UNUSED_AGE, OffsetError, Uploads

LIMITS = UploadLimits(largest=1 << 20, keep_free=0, files=10)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", LIMITS)


def announced(*files: tuple[str, int]) -> list[dict[str, object]]:
    return [{"path": path, "size": size, "changed": 7} for path, size in files]


def test_pieces_broken_at_any_byte_make_the_same_file(uploads: Uploads):
    chance = random.Random(3)
    content = chance.randbytes(50_000)
    identifier = uploads.begin(announced(("data.zip", len(content)))).id
    while True:
        offset = uploads.state(identifier).offsets[0]
        if offset == len(content):
            break
        writer = uploads.writer(identifier, 0, offset)
        for _ in range(chance.randint(1, 3)):
            writer.write(content[writer.offset : writer.offset + chance.randint(1, 4000)])
        with pytest.raises(NotFoundError, match="not finished"):
            uploads.path(identifier)
    assert uploads.finish(identifier).finished
    path = uploads.path(identifier)
    assert path.name == "data.zip"
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()


def test_the_same_files_announced_again_go_on_where_they_were(uploads: Uploads):
    files = announced(("run/config.json", 3), ("run/model.safetensors", 5))
    first = uploads.begin(files)
    uploads.writer(first.id, 1, 0).write(b"ab")
    again = uploads.begin(files)
    assert (again.id, again.offsets) == (first.id, (0, 2))
    changed = [{**file, "changed": 8} for file in files]
    assert uploads.begin(changed).id != first.id, "changed since: not the same file"
    uploads.writer(first.id, 1, 2).write(b"cde")
    assert not uploads.finish(first.id).finished
    uploads.writer(first.id, 0, 0).write(b"{}\n")
    assert uploads.finish(first.id).finished
    folder = uploads.path(first.id)
    assert folder.name == "run"
    assert (folder / "model.safetensors").read_bytes() == b"abcde"
    assert uploads.begin(files).id != first.id, "a finished upload is not written to again"


def test_a_folder_with_one_thing_in_it_keeps_its_names(uploads: Uploads):
    identifier = uploads.begin(announced(("run/checkpoint-8/empty", 0))).id
    uploads.finish(identifier)
    assert (uploads.path(identifier) / "checkpoint-8" / "empty").is_file()


def test_a_piece_for_another_place_is_refused_with_the_right_one(uploads: Uploads):
    identifier = uploads.begin(announced(("a", 10))).id
    uploads.writer(identifier, 0, 0).write(b"123")
    for wrong in (0, 2, 4, 10):
        with pytest.raises(OffsetError) as refused:
            uploads.writer(identifier, 0, wrong)
        assert refused.value.offset == 3


def test_a_writer_that_was_taken_over_writes_no_more(uploads: Uploads):
    identifier = uploads.begin(announced(("a", 4))).id
    old = uploads.writer(identifier, 0, 0)
    new = uploads.writer(identifier, 0, 0)
    with pytest.raises(InputError, match="another place"):
        old.write(b"xx")
    new.write(b"good")
    assert uploads.finish(identifier).finished
    assert uploads.path(identifier).read_bytes() == b"good"


def test_more_than_announced_is_refused_and_a_cancelled_upload_takes_nothing(uploads: Uploads):
    identifier = uploads.begin(announced(("a", 4))).id
    writer = uploads.writer(identifier, 0, 0)
    with pytest.raises(InputError, match="More arrived"):
        writer.write(b"12345")
    uploads.remove(identifier)
    with pytest.raises(InputError, match="cancelled"):
        writer.write(b"12")
    assert list(uploads.folder.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "../up", "a/../../b", "a//b", "./a", "C:/x", "c:x", "a\\..\\b", "a\0b", "a\nb",
        "x" * 256, "/".join(["d"] * 600), 7, None,
    ],
)  # fmt: skip
def test_a_name_that_could_leave_the_folder_is_refused(uploads: Uploads, path: object):
    with pytest.raises(InputError, match="cannot be called"):
        uploads.begin([{"path": path, "size": 1, "changed": 0}])
    assert not uploads.folder.exists()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], "No file"),
        (announced(("a", 1), ("a", 2)), "same name"),
        (announced(("a", 1), ("a/b", 2)), "same name"),
        (announced(*((str(number), 1) for number in range(11))), "11 files are more than the 10"),
        (announced(("a", 1 << 19), ("b", (1 << 19) + 1)), "1.0 MB are more than the 1.0 MB"),
        ([{"path": "a", "size": -1}], "no size"),
        ([{"path": "a", "size": True}], "no size"),
    ],
)
def test_too_much_or_nonsense_is_refused_before_anything_is_made(uploads: Uploads, files, says: str):
    with pytest.raises(InputError, match=says):
        uploads.begin(files)
    assert not uploads.folder.exists()


@pytest.mark.parametrize("identifier", ["", "..", "../../etc", "0" * 31, "G" * 32, "0" * 32, "0" * 32 + "/x"])
def test_what_is_no_upload_is_not_looked_for(uploads: Uploads, identifier: str):
    (uploads.folder.parent / "precious").mkdir(parents=True)
    for ask in (uploads.state, uploads.path, uploads.finish, lambda name: uploads.writer(name, 0, 0)):
        with pytest.raises(NotFoundError):
            ask(identifier)
    uploads.remove(identifier)
    assert (uploads.folder.parent / "precious").is_dir()


def test_a_disk_that_fills_up_stops_the_upload_and_freeing_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    usage = os.statvfs(tmp_path)
    free = usage.f_bavail * usage.f_frsize
    with pytest.raises(StoreError, match="free"):
        Uploads(tmp_path / "u", UploadLimits(keep_free=2 * free)).begin(announced(("a", 1)))
    uploads = Uploads(tmp_path / "u", LIMITS)
    identifier = uploads.begin(announced(("a", 6))).id
    full = UploadLimits(largest=1 << 20, keep_free=2 * free)
    monkeypatch.setattr(uploads, "limits", full)
    with pytest.raises(StoreError, match="free"):
        uploads.writer(identifier, 0, 0).write(b"123")
    monkeypatch.setattr(uploads, "limits", LIMITS)
    uploads.writer(identifier, 0, uploads.state(identifier).offsets[0]).write(b"123456")
    assert uploads.finish(identifier).finished


def test_a_full_disk_is_named_while_writing(uploads: Uploads):
    if not Path("/dev/full").exists():
        pytest.fail("this test needs /dev/full")
    identifier = uploads.begin(announced(("a", 6))).id
    (uploads.folder / identifier / "arriving" / "a").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="disk is full"):
        uploads.writer(identifier, 0, 0).write(b"123")


def test_old_uploads_are_removed_and_those_of_audits_stay(uploads: Uploads):
    def made(name: str, *, finished: bool) -> str:
        identifier = uploads.begin(announced((name, 1))).id
        if finished:
            uploads.writer(identifier, 0, 0).write(b"x")
            uploads.finish(identifier)
        return identifier

    unfinished, unused, used = (
        made("a", finished=False), made("b", finished=True), made("c", finished=True)
    )  # fmt: skip
    in_use = [uploads.path(used)]
    now = (uploads.folder / unused).stat().st_mtime
    assert uploads.sweep(in_use, now=now + UNFINISHED_AGE - 60) == []
    assert uploads.sweep(in_use, now=now + UNFINISHED_AGE + 60) == [unfinished]
    assert uploads.sweep(in_use, now=now + UNUSED_AGE + 60) == [unused]
    assert uploads.path(used).read_bytes() == b"x"


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(upload_limits.MAX_BYTES_VARIABLE, "1000")
    assert UploadLimits.from_environment().largest == 1000
    monkeypatch.setenv(upload_limits.MAX_BYTES_VARIABLE, "much")
    with pytest.raises(InputError, match="'much'"):
        UploadLimits.from_environment()

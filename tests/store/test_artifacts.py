"""Artifacts are complete or absent, and damage is found."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracin_viz.errors import NotComputedError, StoreError
from tracin_viz.store import artifacts
from tracin_viz.store.artifacts import ArtifactStore

KEY = "ab12cd34ef"


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def fill(store: ArtifactStore, key: str = KEY, content: bytes = b"rows") -> Path:
    with store.writing(key, {"format": 1, "kind": "test"}) as folder:
        (folder / "rows.bin").write_bytes(content)
        (folder / "deep").mkdir()
        (folder / "deep" / "more.bin").write_bytes(content * 2)
    return store.path(key)


def leftovers(store: ArtifactStore) -> list[Path]:
    return list(store.root.rglob("*.part"))


def test_artifact_is_absent_until_the_block_ends_and_whole_afterwards(store):
    with store.writing(KEY, {}) as folder:
        (folder / "rows.bin").write_bytes(b"rows")
        assert not store.path(KEY).exists()
        assert not store.is_whole(KEY)
        assert folder.name.startswith(KEY) and folder.name.endswith(".part")
    assert store.is_whole(KEY)
    assert store.path(KEY) == store.root / "ab" / KEY
    assert leftovers(store) == []


def test_nothing_remains_of_a_block_that_raised(store):
    with pytest.raises(ZeroDivisionError), store.writing(KEY, {}) as folder:
        (folder / "rows.bin").write_bytes(b"rows")
        raise ZeroDivisionError
    assert not store.path(KEY).exists()
    assert leftovers(store) == []


def test_manifest_keeps_what_was_given_and_describes_every_file(store):
    fill(store)
    manifest = store.manifest(KEY)
    assert manifest["kind"] == "test"
    assert manifest["artifact"] == KEY
    assert {name: entry["size"] for name, entry in manifest["files"].items()} == {
        "rows.bin": 4,
        "deep/more.bin": 8,
    }


def test_equal_content_gives_equal_bytes_in_two_stores(tmp_path):
    folders = [fill(ArtifactStore(tmp_path / name)) for name in ("one", "two")]
    for name in ("manifest.json", "rows.bin", "deep/more.bin"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def flip_a_bit(folder: Path) -> None:
    content = bytearray((folder / "rows.bin").read_bytes())
    content[0] ^= 1
    (folder / "rows.bin").write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_bit,
        lambda folder: (folder / "rows.bin").unlink(),
        lambda folder: (folder / "rows.bin").write_bytes(b"ro"),
        lambda folder: (folder / "deep" / "more.bin").write_bytes(b"rowsrowsrows"),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: (folder / "manifest.json").write_text("[]"),
        lambda folder: (folder / "manifest.json").write_text(
            (folder / "manifest.json").read_text().replace('"kind": "test"', '"kind": "fake"')
        ),
    ],
)
@pytest.mark.parametrize("verified_before", [True, False])
def test_damage_is_found_and_the_artifact_can_be_made_again(store, damage, verified_before):
    folder = fill(store)
    if verified_before:
        assert store.is_whole(KEY)
    damage(folder)
    assert not store.is_whole(KEY)
    fill(store)  # replaces the damaged one
    assert store.is_whole(KEY)
    assert (folder / "rows.bin").read_bytes() == b"rows"
    assert leftovers(store) == []


def test_a_renamed_artifact_is_not_taken_for_another(store):
    fill(store)
    store.path("ab99").parent.mkdir(exist_ok=True)
    store.path(KEY).rename(store.path("ab99"))
    assert not store.is_whole("ab99")


def test_whole_artifacts_are_not_read_again(store, monkeypatch):
    fill(store)
    assert store.is_whole(KEY)
    monkeypatch.setattr(artifacts, "sha256", lambda path: pytest.fail(f"{path} was read again"))
    assert store.is_whole(KEY)


def test_one_file_is_checked_without_the_others(store):
    folder = fill(store)
    (folder / "rows.bin").write_bytes(b"ROWS")  # damaged, and of the same size
    assert store.whole_file(KEY, "deep/more.bin") == folder / "deep" / "more.bin"
    assert store.whole_file(KEY, "rows.bin") is None
    assert store.whole_file(KEY, "absent.bin") is None
    assert store.whole_file("00ff", "rows.bin") is None
    (folder / "deep" / "more.bin").write_bytes(b"other")
    assert store.whole_file(KEY, "deep/more.bin") is None


def test_presence_is_counted_by_folder(store):
    fill(store)
    assert store.present((KEY, "00ff")) == 1


def test_the_first_of_two_writers_wins_and_the_other_leaves_nothing(store):
    with store.writing(KEY, {}) as late:
        (late / "rows.bin").write_bytes(b"rows")
        with store.writing(KEY, {}) as early:
            assert early != late
            (early / "rows.bin").write_bytes(b"rows")
        before = (store.path(KEY) / "rows.bin").stat().st_ino
    assert (store.path(KEY) / "rows.bin").stat().st_ino == before
    assert store.is_whole(KEY)
    assert leftovers(store) == []


def write_repeatedly(root: str, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    store = ArtifactStore(Path(root))
    for number in range(30):
        fill(store, f"ab{number:04}", b"x" * 1000)


def test_processes_writing_the_same_keys_do_not_disturb_each_other(store):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    writers = [context.Process(target=write_repeatedly, args=(str(store.root), start)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert all(store.is_whole(f"ab{number:04}") for number in range(30))
    assert leftovers(store) == []


KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from tracin_viz.store.artifacts import ArtifactStore
with ArtifactStore(Path(sys.argv[1])).writing(sys.argv[2], {}) as folder:
    (folder / "rows.bin").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_sweep_removes_what_a_killed_writer_left_and_nothing_else(store):
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, str(store.root), KEY], cwd=root, check=False, timeout=120
    )
    assert killed.returncode == -9
    assert len(leftovers(store)) == 1
    assert not store.is_whole(KEY)
    fill(store, "ab77")
    with store.writing("ab88", {}) as live:
        assert store.sweep() == 1
        assert live.exists()
    assert leftovers(store) == []
    assert store.is_whole("ab77") and store.is_whole("ab88")


def test_unfinished_folders_of_other_computers_are_swept_when_old(store):
    part = store.root / "ab" / f"{KEY}.0badc0de-1-1-aa.part"
    part.mkdir(parents=True)
    assert store.sweep() == 0
    long_ago = part.stat().st_mtime - 2 * artifacts.ABANDONED_AFTER
    os.utime(part, (long_ago, long_ago))
    assert store.sweep() == 1


def test_a_missing_artifact_says_what_to_do(store):
    with pytest.raises(NotComputedError, match=r"has not been computed.*Run the computation"):
        store.manifest(KEY)
    store.discard(KEY)  # nothing to remove is no error


@pytest.mark.parametrize("key", ["../../etc", "a/b", "ab.part", "", "."])
def test_keys_cannot_leave_the_store(store, key):
    with pytest.raises(StoreError, match="not a content key"):
        store.path(key)


@pytest.mark.parametrize("entry", sorted(artifacts.RESERVED))
def test_manifests_cannot_override_the_entries_of_the_store(store, entry):
    with pytest.raises(ValueError, match=entry), store.writing(KEY, {entry: "mine"}):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_refused(store, tmp_path):
    (tmp_path / "elsewhere").write_text("x")
    with pytest.raises(StoreError, match="is a link"), store.writing(KEY, {}) as folder:
        (folder / "link").symlink_to(tmp_path / "elsewhere")
    assert not store.path(KEY).exists()


def test_a_place_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(StoreError, match=r"cannot be written.*--home"),
        ArtifactStore(tmp_path / "file").writing(KEY, {}),
    ):
        pytest.fail("the block must not run")

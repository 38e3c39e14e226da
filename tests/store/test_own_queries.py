from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tracin_viz.errors import InputError, NotFoundError, ReadOnlyError
from tracin_viz.store import own_queries
from tracin_viz.store.own_queries import AGE, OwnQueries


def test_what_was_kept_is_found_by_a_name_that_says_nothing_about_it(tmp_path: Path):
    kept = OwnQueries(tmp_path / "queries")
    name = kept.keep("text", "turn it louder 😀".encode())
    assert len(name) == 40 and "louder" not in name
    assert kept.get(name) == ("text", "turn it louder 😀".encode())
    assert kept.keep("text", "turn it louder 😀".encode()) == name != kept.keep("image", b"turn it louder")
    assert len(list((tmp_path / "queries").iterdir())) == 2


@pytest.mark.parametrize("name", ["", "0" * 40, "../../secret", "..", "/etc/passwd", "a" * 39 + "/"])
def test_a_name_from_an_address_never_leads_out_of_the_folder(tmp_path: Path, name: str):
    (tmp_path / "secret.text").write_text("secret")
    (tmp_path / "queries" / "a").mkdir(parents=True)
    with pytest.raises(NotFoundError, match="not kept here") as caught:
        OwnQueries(tmp_path / "queries").get(name)
    assert "Give it again" in str(caught.value.remedy)


def test_a_file_that_is_not_what_its_name_says_is_not_given_out(tmp_path: Path):
    kept = OwnQueries(tmp_path)
    name = kept.keep("text", b"one")
    other = kept.keep("text", b"two")
    (tmp_path / f"{name}.text").write_bytes(b"another")
    (tmp_path / f"{other}.text").unlink()
    (tmp_path / "elsewhere").write_bytes(b"two")
    (tmp_path / f"{other}.text").symlink_to(tmp_path / "elsewhere")
    for one in (name, other):
        with pytest.raises(NotFoundError):
            kept.get(one)
    assert kept.keep("text", b"one") == name
    assert kept.get(name) == ("text", b"one")


def test_whoever_only_looks_can_open_and_not_add(tmp_path: Path):
    name = OwnQueries(tmp_path).keep("text", b"one")
    looking = OwnQueries(tmp_path, read_only=True)
    before = (tmp_path / f"{name}.text").stat().st_mtime_ns
    assert looking.get(name) == ("text", b"one")
    with pytest.raises(ReadOnlyError):
        looking.keep("text", b"two")
    assert (tmp_path / f"{name}.text").stat().st_mtime_ns == before


def test_what_is_old_or_too_much_goes_and_what_was_opened_stays(tmp_path: Path, monkeypatch):
    kept = OwnQueries(tmp_path)
    names = [kept.keep("text", f"{number}".encode()) for number in range(4)]
    now = time.time()
    for age, name in zip((AGE + 60, AGE - 60, 200, 100), names, strict=True):
        os.utime(tmp_path / f"{name}.text", (now - age, now - age))
    with pytest.raises(NotFoundError):
        kept.get(names[0])
    kept.get(names[1])  # opened: it is the youngest now
    monkeypatch.setattr(own_queries, "KEPT", 3)
    newest = kept.keep("text", b"newest")
    assert {path.stem for path in tmp_path.iterdir()} == {names[1], names[3], newest}
    monkeypatch.setattr(own_queries, "TOTAL", 4)
    last = kept.keep("text", b"larger than all that may be kept")
    assert [path.stem for path in tmp_path.iterdir()] == [last]


@pytest.mark.parametrize("content", [b"", b"x" * 8_001])
def test_a_sentence_has_a_largest_size(tmp_path: Path, content: bytes):
    with pytest.raises(InputError, match="1 to 8,000"):
        OwnQueries(tmp_path).keep("text", content)
    assert not list(tmp_path.iterdir())

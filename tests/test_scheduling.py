"""One process runs what shares a server, and the list of long files names files that there are."""

from __future__ import annotations

from pathlib import Path

from tests.scheduling import LONG, ByFile, rank

ROOT = Path(__file__).parents[1]


def scope(path: str) -> str:
    return ByFile._split_scope(object.__new__(ByFile), f"{path}::test_something[a::b]")


def test_every_file_over_the_server_of_the_demo_is_in_its_group():
    over_it = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests" / "browser").glob("test_*.py"))
        if "demo_server" in path.read_text("utf-8")
    ]
    assert len(over_it) >= 6
    assert {scope(path) for path in over_it} == {LONG[0][0]}


def test_long_files_exist_are_named_once_and_come_first():
    named = [path for files in LONG for path in files]
    assert len(named) == len(set(named))
    assert [path for path in named if not (ROOT / path).is_file()] == []
    assert sorted(["tests/test_config.py", *reversed(named)], key=rank) == [*named, "tests/test_config.py"]
    assert scope("tests/test_config.py") == "tests/test_config.py"

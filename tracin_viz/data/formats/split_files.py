"""Tables that name their split: ``train.csv``, ``test-00000-of-00002.parquet``, ``data/validation.jsonl``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from tracin_viz.data.splits import known_split, split_name

TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
#: Files of a data set's folder that are about it, not in it.
_ABOUT = frozenset({"dataset_info.json", "dataset_infos.json", "state.json", "config.json", "package.json"})
_WORDS = re.compile(r"[^A-Za-z]+")
_SHARD = re.compile(r"-\d{5}-of-\d{5}.*$")


def is_table(name: str) -> bool:
    """Whether a file of this name can be a table."""
    path = PurePosixPath(name)
    return path.suffix.lower() in TABLES and path.name.lower() not in _ABOUT


def table_files(names: Sequence[str]) -> list[tuple[str, str]]:
    """The tables among ``names`` with the split each names, empty where none of them names one.

    Only one kind of file counts, that of the first table that names a split: a folder often holds the same
    rows as CSV and as Parquet. Where some name a split, the others are splits called like the file.
    """
    tables = [name for name in names if is_table(name)]
    named = {name: split for name in tables if (split := _split(name)) is not None}
    if not tables:
        return []
    kind = PurePosixPath(next(iter(named), tables[0])).suffix.lower()
    alike = [name for name in tables if PurePosixPath(name).suffix.lower() == kind]
    if not named:
        return [(name, "") for name in alike]
    found = [(name, named.get(name) or split_name(_stem(name))) for name in alike]
    return [(name, split) for name, split in found if split is not None]


def _split(name: str) -> str | None:
    """The split in a file's name, or in that of its folder."""
    path = PurePosixPath(name)
    for part in (_stem(name), *reversed(path.parts[:-1])):
        for word in _WORDS.split(part):
            if (split := known_split(word)) is not None:
                return split
    return None


def _stem(name: str) -> str:
    return _SHARD.sub("", PurePosixPath(name).stem)

"""Hostile bytes for every reader: real files with some bytes changed, cut or doubled.

Run for long by ``benchmarks/acceptance_data.py``, for a few seconds by the tests.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from tests.data.conftest import picture
from tests.data.malformed import arrow_stream, png
from tests.data.test_writers import packed
from tracin_viz.data.preview import preview_data
from tracin_viz.errors import TracinVizError

TABLE = pd.DataFrame(
    {
        "text": [f"text number {n}" for n in range(8)],
        "label": ["x", "y"] * 4,
        "split": ["train"] * 7 + ["test"],
    }
)
ENDINGS = (
    "csv",
    "tsv",
    "jsonl",
    "json",
    "parquet",
    "arrow",
    "zip",
    "tar",
    "tar.gz",
    "tar.bz2",
    "tar.xz",
    "png",
)

Edit = tuple[int, int, bytes]


def whole_files() -> dict[str, bytes]:
    """A sound file of each kind, by its ending."""
    found = {
        "csv": TABLE.to_csv(index=False).encode(),
        "tsv": TABLE.to_csv(index=False, sep="\t").encode(),
        "jsonl": TABLE.to_json(orient="records", lines=True).encode(),
        "json": TABLE.to_json(orient="records").encode(),
        "arrow": arrow_stream(pa.table(TABLE)),
        "png": png(3),
    }
    images = {f"train/{kind}/{n}.png": png(n) for n, kind in enumerate(("cat", "dog", "cat"))}
    with tempfile.TemporaryDirectory() as folder:
        TABLE.to_parquet(Path(folder) / "t.parquet")
        found["parquet"] = (Path(folder) / "t.parquet").read_bytes()
        for ending in ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz"):
            packed(Path(folder) / f"t.{ending}", images)
            found[ending] = (Path(folder) / f"t.{ending}").read_bytes()
    return found


def edits() -> st.SearchStrategy[list[Edit]]:
    """Places (counted from the beginning, or the end where negative), bytes removed and bytes put there."""
    place = st.integers(-600, 600)
    put = st.one_of(
        st.binary(max_size=8),
        st.sampled_from([b"\xff" * 8, b"\0" * 8, b'"', b"\n", b"../", b"\xff\xff\xff\x7f", b"\r", b"[" * 50]),
    )
    return st.lists(st.tuples(place, st.integers(0, 40), put), min_size=1, max_size=6)


def edited(content: bytes, changes: list[Edit]) -> bytes:
    """``content`` with ``changes`` made one after the other."""
    for place, removed, put in changes:
        start = place % (len(content) + 1)
        content = content[:start] + put + content[start + removed :]
    return content


def open_hostile(root: Path, ending: str, content: bytes) -> str:
    """Open ``content`` as a file of that kind below ``root``: ``"read"`` or ``"refused"``.

    Raises:
        AssertionError: A message has several lines, or a file appeared.
        Exception: Anything but the package's own errors came out.
    """
    path = place_file(root, ending, content)
    before = sorted(root.rglob("*"))
    try:
        preview_data(path)
        outcome = "read"
    except TracinVizError as error:
        assert "\n" not in str(error), str(error)
        outcome = "refused"
    assert sorted(root.rglob("*")) == before, "a file appeared or went"
    return outcome


def place_file(root: Path, ending: str, content: bytes) -> Path:
    if ending == "png":
        for name in ("train/cat/1.png", "train/dog/2.png"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            picture(1 if "cat" in name else 2).save(root / name)
        (root / "train/cat/x.png").write_bytes(content)
        return root
    if ending == "arrow":
        (root / "data.arrow").write_bytes(content)
        (root / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data.arrow"}]}))
        return root
    (root / f"set.{ending}").write_bytes(content)
    return root / f"set.{ending}"

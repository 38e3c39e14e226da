"""A folder that ``datasets.load_from_disk`` reads, written without that library.

Its form (one Arrow stream, ``dataset_info.json``, ``state.json``) is what ``Dataset.save_to_disk`` writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from tracin_viz.fingerprint import fingerprint
from tracin_viz.portable import sync_file
from tracin_viz.relabel.exports.progress import Progress, silent
from tracin_viz.relabel.exports.schema import SCHEMA
from tracin_viz.relabel.exports.tabular import pieces

_ARROW = {"text": pa.string(), "number": pa.float64(), "count": pa.int64(), "flag": pa.bool_()}
_DATA = "data-00000-of-00001.arrow"


def write_dataset(frame: pd.DataFrame, folder: Path, *, told: Progress = silent) -> None:
    """Write the folder, which is made.

    Args:
        frame: Columns of ``SCHEMA``.
        folder: Where; it must not exist.
        told: Called as rows are written.
    """
    folder.mkdir()
    schema = pa.schema([(name, _ARROW[column.kind]) for name, column in SCHEMA.items()])
    features = {name: {"dtype": str(schema.field(name).type), "_type": "Value"} for name in SCHEMA}
    with pa.OSFile(str(folder / _DATA), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for piece in pieces(frame, told):
            writer.write_table(pa.Table.from_pandas(piece, schema=schema, preserve_index=False))
    size = (folder / _DATA).stat().st_size
    splits = {"train": {"name": "train", "num_bytes": size, "num_examples": len(frame), "dataset_name": None}}
    about = "\n".join(f"{name}: {column.meaning}" for name, column in SCHEMA.items())
    _write(folder / "dataset_info.json", {"description": about, "features": features, "splits": splits})
    state: dict[str, Any] = {
        "_data_files": [{"filename": _DATA}],
        "_fingerprint": fingerprint([len(frame), size, frame["decided_at"].max() if len(frame) else ""])[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": "train",
    }
    _write(folder / "state.json", state)
    sync_file(folder / _DATA)


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")
    sync_file(path)

"""What the ``datasets`` library writes beside its columns: class names and which columns are pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from tracin_viz.data.formats.columns import Feature
from tracin_viz.errors import InputError

_SIZED = ("Sequence", "List", "LargeList", "FixedSizeList")


def features_of(schema: Any) -> dict[str, Feature]:
    """Features from the metadata ``huggingface`` of an Arrow schema; none where it has no such metadata."""
    written = (schema.metadata or {}).get(b"huggingface")
    if not written:
        return {}
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    info = found.get("info") if isinstance(found, dict) else None
    return features_in(info.get("features") if isinstance(info, dict) else None)


def features_in(described: Any) -> dict[str, Feature]:
    """Features from their JSON form, as in ``dataset_info.json``; what is not understood is left out."""
    if not isinstance(described, Mapping):
        return {}
    found = {str(name): _feature(value) for name, value in described.items()}
    return {name: feature for name, feature in found.items() if feature is not None}


def _feature(value: Any) -> Feature | None:
    if isinstance(value, list) and len(value) == 1:  # an old way to write a list
        return _feature(value[0])
    if not isinstance(value, Mapping):
        return None
    kind = value.get("_type")
    if kind == "Image":
        return Feature(image=True)
    if kind == "ClassLabel" and isinstance(value.get("names"), list):
        return Feature(classes=tuple(str(name) for name in value["names"]))
    if kind in _SIZED:
        return _feature(value.get("feature"))
    return None


def check_rows(columns: Mapping[str, Any], name: str) -> None:
    """Check Arrow columns of a user's file in full before anything follows an offset in them.

    Raises:
        InputError: Offsets lead out of the file, or a text is not UTF-8.
    """
    for column in columns.values():
        try:
            column.validate(full=True)
        except (pa.ArrowException, ValueError) as error:
            raise damaged(name, error) from error


def damaged(name: str, error: Exception) -> InputError:
    """The error for an Arrow or Parquet file that cannot be read."""
    # Arrow's messages can hold whole schemas.
    reason = str(error).partition("\n")[0][:120]
    return InputError(
        f"'{name}' is damaged or not what its name says ({reason}).",
        remedy="Write the file again, for example with pandas or datasets.",
    )


def picture_columns(schema: Any, features: Mapping[str, Feature]) -> Sequence[str]:
    """Columns that hold the bytes of files: binary ones, and structures of ``bytes`` and ``path``."""
    return [field.name for field in schema if _holds_bytes(field.type)] + [
        name
        for name, feature in features.items()
        if feature.image
        and name in schema.names
        and not _holds_bytes(schema.field(name).type)
        and not pa.types.is_string(schema.field(name).type)
    ]


def _holds_bytes(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        names = [kind.field(place).name for place in range(kind.num_fields)]
        return "bytes" in names and _holds_bytes(kind.field("bytes").type)
    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )

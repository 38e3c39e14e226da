"""Reading JSON files that somebody else wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: Bytes of one file; the longest log of a real run is a tenth of it.
MAX_BYTES = 1 << 27


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: It is too large, no JSON, or no object.
    """
    name = f"{path.parent.name}/{path.name}"
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"'{shown(name)}' has more than {MAX_BYTES >> 20} MiB.", remedy="Replace the file.")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"'{shown(name)}' is not JSON ({shown(error)}).", remedy="Copy the file from the training again."
        ) from error
    if not isinstance(value, dict):
        raise InputError(
            f"'{shown(name)}' holds no JSON object.", remedy="Copy the file from the training again."
        )
    return value

"""Look at data and models in processes of their own: the app stays small and answers meanwhile.

    python -m tracin_viz.jobs.looking data '{"path": …, "mapping": …, "limit": …}'

prints one JSON document, ``{"found": {…}}`` or ``{"error": {…}}``, as ``inspect_run`` and ``fit_run`` do.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tracin_viz.data.dataset import open_dataset
from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.preview import preview_data
from tracin_viz.data.thumbnails import thumbnail
from tracin_viz.errors import CancelledError, JobError, Problem, TracinVizError, by_name

#: What a process is asked: from a request to what it found, both JSON-able.
Question = Callable[[dict[str, Any]], dict[str, Any]]
#: Which process answers which question.
PROCESSES: dict[str, tuple[str, ...]] = {
    "data": ("tracin_viz.jobs.looking", "data"),
    "model": ("tracin_viz.jobs.inspect_run",),
    "fit": ("tracin_viz.jobs.fit_run",),
    "unpack": ("tracin_viz.jobs.unpacking",),
}
#: Seconds that a look may take; 100,000 images on a slow disk are decoded once.
TIMEOUT = 3600.0
#: Seconds between two looks at the request to stop.
_PATIENCE = 0.2
#: Groups of equal examples that are listed; all of them are counted.
LISTED_DUPLICATES = 200
#: Pixels of a picture in a preview.
PICTURE = 128


def look(
    kind: str, request: Mapping[str, Any], *, cancelled: threading.Event | None = None
) -> dict[str, Any]:
    """Ask a short-lived process, and wait for its answer.

    Args:
        kind: A key of ``PROCESSES``.
        request: What it is asked, JSON-able.
        cancelled: Set by another thread to end the process.

    Raises:
        TracinVizError: What the process answered.
        CancelledError: ``cancelled`` was set.
        JobError: The process itself failed or took too long.
    """
    return found_in_answer(asked(kind, request, cancelled or threading.Event()))


def asked(kind: str, request: Mapping[str, Any], cancelled: threading.Event) -> dict[str, Any]:
    """The answer of a process, as it prints it; what ``look`` says of errors holds here too."""
    command = [sys.executable, "-m", *PROCESSES[kind], json.dumps(request)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        out, err = _awaited(process, cancelled)
    if process.returncode != 0 or not out.strip():
        last = (err.strip().splitlines() or [f"exit status {process.returncode}"])[-1]
        raise JobError(f"Looking at {request.get('path')} failed: {last}", remedy="See the server's log.")
    document: dict[str, Any] = json.loads(out.splitlines()[-1])
    return document


def found_in_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a process found, or the error that it met, raised here."""
    if "error" in answer:
        raised = answer["error"]
        raise by_name(raised["class"])(
            raised["message"],
            remedy=raised["remedy"],
            problems=[Problem(**problem) for problem in raised["problems"]],
        )
    found: dict[str, Any] = answer["found"]
    return found


def answered(question: Question, request: str) -> dict[str, Any]:
    """The process's side: what ``question`` finds for ``request``, or the error that it meets."""
    try:
        return {"found": question(json.loads(request))}
    except TracinVizError as error:
        return {
            "error": {
                "class": type(error).__name__,
                "message": error.message,
                "remedy": error.remedy,
                "problems": [problem.as_dict() for problem in error.problems],
            }
        }


def answer(question: Question, request: str) -> int:
    """Print what ``question`` finds for ``request``; returns the exit status."""
    sys.stdout.write(json.dumps(answered(question, request)) + "\n")
    return 0


def look_at_data(request: Mapping[str, Any]) -> dict[str, Any]:
    """The preview of a data set (``data.preview.DataPreview.as_dict``), with small pictures of its examples.

    Args:
        request: ``{"path", "mapping": dict | None, "limit": int}``.
    """
    chosen = request.get("mapping")
    mapping = None if chosen is None else DataMapping.from_dict(chosen)
    path = Path(request["path"])
    found = preview_data(path, mapping=mapping, limit=int(request.get("limit", 10))).as_dict()
    found["size"] = _size(path)
    found["duplicate_groups"] = len(found["duplicates"])
    found["duplicates"] = found["duplicates"][:LISTED_DUPLICATES]
    if found["task"] == "image":
        # Opened again, without decoding every image where all were sound: broken ones have no row.
        again = DataMapping.from_dict(found["mapping"])
        dataset = open_dataset(path, mapping=again, verify=bool(found["problems"]))
        for example in found["examples"]:
            example["picture"] = _picture(dataset.load(example["split"], example["row"]))
    return found


def data_address(picture: bytes) -> str:
    """A WebP picture as an address that holds it."""
    return "data:image/webp;base64," + base64.b64encode(picture).decode("ascii")


def _picture(content: Any) -> str:
    return data_address(thumbnail(content, PICTURE))


def _size(path: Path) -> int:
    """Bytes of a file; of a folder that of its files, counted without following links."""
    if path.is_file():
        return path.stat().st_size
    return sum(one.lstat().st_size for one in path.rglob("*") if not one.is_dir())


def _awaited(process: subprocess.Popen[str], cancelled: threading.Event) -> tuple[str, str]:
    waited = 0.0
    while True:
        try:
            return process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            waited += _PATIENCE
        if cancelled.is_set() or waited > TIMEOUT:
            process.kill()
            process.communicate()
            if cancelled.is_set():
                raise CancelledError("The look was cancelled.")
            raise JobError(f"Looking took more than {TIMEOUT:.0f} seconds.", remedy="Give a smaller part.")


if __name__ == "__main__":
    sys.exit(answer(look_at_data, sys.argv[2]))

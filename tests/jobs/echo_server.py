"""A small query process for tests: ``python -m tests.jobs.echo_server --home DIR [--idle S]``."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tracin_viz
from tracin_viz.config import Home
from tracin_viz.errors import CancelledError, InputError, Problem
from tracin_viz.jobs.transport import address_of, serve


def answer(
    kind: str, header: dict[str, Any], arrays: list[np.ndarray], cancelled: Callable[[], bool]
) -> tuple[dict[str, Any], list[np.ndarray]]:
    if kind == "echo":
        return {"header": header, "pid": os.getpid()}, arrays
    if kind == "double":
        for array in arrays:
            array *= 2  # arrays of a request may be written to
        return {}, arrays
    if kind == "wait":  # until it is cancelled; leaves marks that the test can see
        Path(header["begun"]).touch()
        deadline = time.monotonic() + header["seconds"]
        while time.monotonic() < deadline:
            if cancelled():
                Path(header["begun"] + ".cancelled").touch()
                raise CancelledError("Stopped in the middle.")
            time.sleep(0.005)
        Path(header["begun"] + ".ended").touch()
        return {"waited": True}, []
    if kind == "overlap":  # fails if two are computed at once
        place = Path(header["place"])
        with place.open("x"):
            time.sleep(0.05)
        place.unlink()
        return {}, []
    if kind == "input-error":
        problems = [Problem("unreadable image", "a.png", "It is empty.", "Replace it.")]
        raise InputError("One picture is broken.", remedy="See below.", problems=problems)
    if kind == "bug":
        return {"share": 1 / header["zero"]}, []
    if kind == "missing-file":
        return {"text": Path(header["path"]).read_text()}, []
    if kind == "unsendable":
        return {"thing": object()}, []
    if kind == "crash":
        os._exit(3)
    raise InputError(f"The echo server does not know '{kind}'.")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", required=True)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--version")
    parser.add_argument("--starts", help="folder in which each start leaves a file")
    given = parser.parse_args()
    if given.version:
        tracin_viz.__version__ = given.version
    if given.starts:
        (Path(given.starts) / str(os.getpid())).touch()
    serve(address_of(Home.resolve(given.home)), answer, idle_seconds=given.idle)


if __name__ == "__main__":
    main()

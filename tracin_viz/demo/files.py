"""What a demo leaves on the disk, and how it gets there whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tracin_viz.errors import InputError
from tracin_viz.portable import rename_durably

#: Told what is being done and which share of the whole is done; it may raise to cancel.
OnProgress = Callable[[str, float], None]

MANIFEST = "demo.json"
#: Raised when a demo is built differently, so that folders from before are built again.
_FORMAT = 1


@dataclass(frozen=True)
class DemoFiles:
    """A finished demo.

    Attributes:
        data: Image folder or CSV file, as ``open_dataset`` takes it.
        model: Run folder, as ``open_run_folder`` takes it.
        truth: CSV ``id,true_label`` of the planted wrong labels; ``None`` where none were planted.
        notes: What the pages say about the demo: title, origin, licence, test accuracy, planted flips.
    """

    data: Path
    model: Path
    truth: Path | None
    notes: dict[str, Any]


def build_once(folder: Path, settings: Mapping[str, Any], fill: Callable[[Path], DemoFiles]) -> DemoFiles:
    """The demo in ``folder``; built there if it is not whole or was built with other settings.

    Args:
        folder: Where it is to be. It appears whole or not at all.
        settings: Everything that decides what is built, as plain values.
        fill: Builds it in the empty folder it is given; an error, or a cancel, leaves nothing behind.

    Raises:
        InputError: ``folder`` holds something that is not a demo; it is left as it is.
    """
    if (ready := _finished(folder, settings)) is not None:
        return ready
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise InputError(
            f"'{folder}' holds files that are not a demo.",
            remedy="Remove them, or build the demo elsewhere.",
        )
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        made = fill(part)
        _write_manifest(part, settings, made)
        if folder.exists():
            shutil.rmtree(folder)
        rename_durably(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return _moved(made, part, folder)


def between(on_progress: OnProgress, first: float, last: float) -> OnProgress:
    """The same receiver for a stage whose own shares 0 to 1 are ``first`` to ``last`` of the whole."""
    return lambda stage, share: on_progress(stage, first + (last - first) * share)


def _finished(folder: Path, settings: Mapping[str, Any]) -> DemoFiles | None:
    """The demo in ``folder``, if it was built with these settings and every file is still there in full."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != _FORMAT or manifest["settings"] != dict(settings):
            return None
        if manifest["sizes"] != _sizes(folder):
            return None
        truth = manifest["truth"]
        return DemoFiles(
            data=folder / manifest["data"],
            model=folder / manifest["model"],
            truth=None if truth is None else folder / truth,
            notes=manifest["notes"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no manifest or a damaged one: the demo is built again


def _write_manifest(part: Path, settings: Mapping[str, Any], made: DemoFiles) -> None:
    manifest = {
        "format": _FORMAT,
        "settings": dict(settings),
        "data": made.data.relative_to(part).as_posix(),
        "model": made.model.relative_to(part).as_posix(),
        "truth": None if made.truth is None else made.truth.relative_to(part).as_posix(),
        "notes": made.notes,
        "sizes": _sizes(part),
    }
    (part / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _moved(made: DemoFiles, part: Path, folder: Path) -> DemoFiles:
    truth = None if made.truth is None else folder / made.truth.relative_to(part)
    return replace(
        made,
        data=folder / made.data.relative_to(part),
        model=folder / made.model.relative_to(part),
        truth=truth,
    )


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of every file but the manifest, by path inside the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}

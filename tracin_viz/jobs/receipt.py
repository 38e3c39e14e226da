"""What was asked of a run, as one key: the same request over the same files needs no look at the model.

Opening a model costs seconds (torch and transformers are loaded for its configuration alone), hashing its
files a fraction of one. The key covers the bytes of everything that decides the units: contents and labels,
the run folder's files, the settings, and the versions of the libraries that interpret them; never the age or
the size of a file.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import tracin_viz
from tracin_viz.config import ResultSettings
from tracin_viz.data.dataset import Dataset
from tracin_viz.errors import InputError
from tracin_viz.fingerprint import FORMAT, fingerprint, fingerprint_file
from tracin_viz.store.registry import AuditRecord

#: Files of a run folder that no unit depends on; optimizer states are larger than the weights.
IRRELEVANT = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "scaler.pt")


def receipt(record: AuditRecord, dataset: Dataset, settings: ResultSettings, checkpoints: str) -> str:
    """Key of a request; equal keys give equal plans.

    Args:
        record: The audit.
        dataset: Its data, opened.
        settings: What changes the answer.
        checkpoints: The choice of checkpoints as it was given.
    """
    model = Path(record.model)
    files = _digests(model)
    splits = {
        name: [dataset.digest(name, range(len(split.labels))), split.labels, split.targets]
        for name, split in dataset.splits.items()
    }
    libraries = [version(name) for name in ("torch", "transformers", "tokenizers", "pillow", "numpy")]
    return fingerprint(
        {
            "format": FORMAT,
            "version": tracin_viz.__version__,
            "libraries": libraries,
            "splits": splits,
            "classes": list(dataset.classes),
            "files": files,
            "rates": [checkpoint.learning_rate for checkpoint in record.checkpoints],
            "unused": list(record.unused),
            "pattern": record.checkpoint_glob,
            "options": record.options,
            "architecture": _architecture(record),
            "settings": settings.key_parts(),
            "checkpoints": checkpoints,
        }
    )


def _architecture(record: AuditRecord) -> dict[str, str] | None:
    return None if record.architecture is None else _digests(Path(record.architecture))


def _digests(path: Path) -> dict[str, str]:
    """Keys of all files in a folder, at any depth: Lightning keeps its checkpoints four folders down.

    For a single file also those of the code and settings beside it, which it may import or be described by.

    Raises:
        InputError: There is nothing at ``path`` any more.
    """
    if not path.exists():
        raise InputError(
            f"'{path}' of the audit does not exist any more.",
            remedy="Put it back, or create the audit again with its new place.",
        )
    if path.is_dir():
        found = [entry for entry in sorted(path.rglob("*")) if entry.is_file()]
        root = path
    else:
        beside = [*path.parent.glob("*.py"), *path.parent.glob("*.json")]
        found, root = sorted({path, *beside}), path.parent
    return {
        entry.relative_to(root).as_posix(): fingerprint_file(entry)
        for entry in found
        if entry.name not in IRRELEVANT and "__pycache__" not in entry.parts
    }

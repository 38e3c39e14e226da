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
    files = {
        path.relative_to(model).as_posix(): fingerprint_file(path)
        for path in sorted([*model.glob("*"), *model.glob("*/*")])
        if path.is_file() and path.name not in IRRELEVANT
    }
    splits = {
        name: [dataset.digest(name, range(len(split.labels))), split.labels]
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
            "settings": settings.as_dict(),
            "checkpoints": checkpoints,
        }
    )


def _architecture(record: AuditRecord) -> str | None:
    path = None if record.architecture is None else Path(record.architecture)
    if path is None:
        return None
    return fingerprint_file(path) if path.is_file() else str(path)

"""What a person gave, as requests to the processes that look at it, and what came of it as a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracin_viz.audit.creation import Sources
from tracin_viz.data.mapping import DataMapping
from tracin_viz.store.registry import AuditRecord

#: Examples shown in a preview.
SHOWN = 10


def sources(data: str | Path, model: str | Path, **choices: Any) -> Sources:
    """The arguments of ``Workspace.create`` as one value.

    Raises:
        InputError: The mapping holds something that is none.
    """
    mapping = choices.pop("mapping", None)
    if mapping is not None and not isinstance(mapping, DataMapping):
        mapping = DataMapping.from_dict(mapping)
    architecture = choices.pop("architecture", None)
    return Sources(
        Path(data),
        Path(model),
        mapping=mapping,
        architecture=Path(architecture) if architecture else None,
        **choices,
    )


def data_request(path: Path, mapping: dict[str, Any] | DataMapping | None) -> dict[str, Any]:
    """What ``looking.look_at_data`` is asked."""
    given = mapping.as_dict() if isinstance(mapping, DataMapping) else mapping
    return {"path": _full(path), "mapping": given, "limit": SHOWN}


def model_request(wanted: Sources) -> dict[str, Any]:
    """What ``jobs.inspect_run`` is asked."""
    choices = wanted.choices()
    if wanted.architecture is not None:
        choices["architecture"] = _full(wanted.architecture)
    return {"path": _full(wanted.model), **choices}


def unpack_request(archive: Path, uploads: Path) -> dict[str, Any]:
    """What ``jobs.unpacking`` is asked."""
    return {"path": _full(archive), "uploads": str(uploads)}


def fit_request(wanted: Sources) -> dict[str, Any]:
    """What ``jobs.fit_run`` is asked."""
    model = model_request(wanted)
    return {
        "path": model.pop("path"),
        "data": _full(wanted.data),
        "mapping": None if wanted.mapping is None else wanted.mapping.as_dict(),
        "choices": model,
    }


def created_document(record: AuditRecord) -> dict[str, Any]:
    """The ``create`` document of DESIGN §9."""
    return {
        "audit": record.name,
        "task": record.task,
        "splits": record.splits,
        "classes": list(record.classes),
        "checkpoints": [checkpoint.as_dict() for checkpoint in record.checkpoints],
        "problems": list(record.problems),
    }


def _full(path: Path) -> str:
    return str(path.expanduser().resolve())

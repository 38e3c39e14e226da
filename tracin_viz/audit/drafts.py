"""Audits that are being put together: kept on disk after every choice, so that a reload loses nothing.

A draft registers nothing. Its identifier stands in the address of the page.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
import uuid
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tracin_viz.errors import NotFoundError, ReadOnlyError
from tracin_viz.portable import rename_durably, sync_file

_ID = re.compile(r"[0-9a-f]{12}")
#: Seconds after which a draft that nobody touched is removed.
AGE = 30 * 24 * 3600.0


@dataclass(frozen=True)
class Draft:
    """What was chosen so far.

    Attributes:
        id: Random name.
        data: Path of the data set; empty until chosen.
        model: Path of the model; empty until chosen.
        mapping: The fields of ``data.DataMapping`` that were changed.
        checkpoints: Pattern of checkpoint names.
        learning_rates: One per checkpoint, or a single one for all.
        architecture: File that describes or builds the network.
        trust_code: Whether code in it may be run.
        options: Choices about the model.
        rows: By step: ``{"use": bool, "learning_rate": float}`` where changed.
        name: Name of the audit to be.
    """

    id: str
    data: str = ""
    model: str = ""
    mapping: dict[str, Any] = field(default_factory=dict)
    checkpoints: str = ""
    learning_rates: tuple[float, ...] = ()
    architecture: str = ""
    trust_code: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    name: str = ""

    def choices(self) -> dict[str, Any]:
        """The arguments of ``Workspace.create`` beside name, data and model."""
        return {
            "mapping": self.mapping or None,
            "checkpoints": self.checkpoints or None,
            "learning_rates": list(self.learning_rates) or None,
            "architecture": self.architecture or None,
            "trust_code": self.trust_code,
            "options": self.options,
        }

    def chosen_rows(self) -> list[dict[str, Any]]:
        """The changed rows of the checkpoint table, as ``store.checkpoint_choice.edited`` takes them."""
        return [{"step": int(step), **row} for step, row in self.rows.items()]


class Drafts:
    """The drafts of a workspace.

    Args:
        folder: Where they lie; made on first use.
        read_only: Whether every change is refused (``ReadOnlyError``).
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._folder = folder
        self._read_only = read_only

    def new(self) -> Draft:
        """An empty draft; old ones are removed on the way."""
        self._require_writable()
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob("*.json"):
            if time.time() - path.stat().st_mtime > AGE:
                path.unlink(missing_ok=True)
        return self.write(Draft(uuid.uuid4().hex[:12]))

    def read(self, identifier: str) -> Draft:
        """The draft ``identifier``.

        Raises:
            NotFoundError: There is none of that name, or it cannot be read.
        """
        gone = NotFoundError("This draft does not exist any more.", remedy="Begin anew on the Start page.")
        if not _ID.fullmatch(identifier):
            raise gone
        try:
            values = json.loads((self._folder / f"{identifier}.json").read_text("utf-8"))
            known = {one.name for one in fields(Draft)}
            kept = {name: value for name, value in values.items() if name in known}
            kept["learning_rates"] = tuple(kept.get("learning_rates", ()))
            return replace(Draft(**kept), id=identifier)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise gone from error

    def write(self, draft: Draft) -> Draft:
        """Keep ``draft``, in one step; returns it."""
        self._require_writable()
        path = self._folder / f"{draft.id}.json"
        part = path.with_suffix(f".{uuid.uuid4().hex[:8]}.part")
        part.write_text(json.dumps(asdict(draft)), "utf-8")
        sync_file(part)
        rename_durably(part, path)
        return draft

    def remove(self, identifier: str) -> None:
        """Forget a draft; an unknown one is no error."""
        self._require_writable()
        if _ID.fullmatch(identifier):
            (self._folder / f"{identifier}.json").unlink(missing_ok=True)

    def _require_writable(self) -> None:
        if self._read_only:
            raise ReadOnlyError()

    def paths(self) -> list[Path]:
        """Data and models that drafts name."""
        found = []
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(NotFoundError):  # a damaged one names nothing
                draft = self.read(path.stem)
                found += [Path(one) for one in (draft.data, draft.model, draft.architecture) if one]
        return found

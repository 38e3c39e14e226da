"""The part of a workspace that comes before an audit: uploads, drafts, and looks at data and models."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tracin_viz.audit.creation import check_name, record_of
from tracin_viz.audit.drafts import Draft, Drafts
from tracin_viz.audit.looks import Look, Looks
from tracin_viz.audit.previews import (
    created_document,
    data_request,
    fit_request,
    model_request,
    sources,
    unpack_request,
)
from tracin_viz.audit.validation import validation_report
from tracin_viz.config import Home
from tracin_viz.errors import JobError, ReadOnlyError, TracinVizError
from tracin_viz.jobs.looking import look
from tracin_viz.store import registry
from tracin_viz.store.checkpoint_choice import edited
from tracin_viz.store.unpacking import unpacked
from tracin_viz.store.uploads import Uploads


class Beginnings:
    """What a workspace offers before anything is registered.

    Attributes:
        home: The workspace.
        read_only: Whether nothing may be begun.
        uploads: Files that came from browsers.
        drafts: Audits that are being put together.
        looks: Looks that go on in the background.
    """

    def __init__(self, home: Home, *, read_only: bool = False) -> None:
        self.home = home
        self.read_only = read_only
        self.uploads = Uploads(home.root / "uploads", read_only=read_only)
        self.drafts = Drafts(home.root / "drafts", read_only=read_only)
        self.looks = Looks()

    def sweep_uploads(self) -> list[str]:
        """Remove uploads that stand still or that no audit or draft uses; returns their identifiers."""
        records = [registry.read(self.home, name) for name in registry.names(self.home)]
        used = {path for one in records for path in (one.data, one.model, one.architecture) if path}
        return self.uploads.sweep([*map(Path, used), *self.drafts.paths()])

    def look_for(self, draft: Draft, kind: str, *, again: bool = False) -> Look:
        """The look at a draft's data (``"data"``), its model (``"model"``) or both together (``"fit"``).

        ``"unpack"`` is no look yet: it finds the ``folder`` in a model that is an archive. All go on in the
        background; the same one is begun once only.

        Raises:
            ReadOnlyError: The workspace was opened for looking only.
        """
        if self.read_only:
            raise ReadOnlyError()
        wanted = sources(draft.data, draft.model, **draft.choices())
        request = {
            "data": lambda: data_request(wanted.data, wanted.mapping),
            "model": lambda: model_request(wanted),
            "fit": lambda: fit_request(wanted),
            "unpack": lambda: unpack_request(wanted.model, self.uploads.folder),
        }[kind]()
        return self.looks.ask(kind, request, again=again)

    def draft_report(self, draft: Draft) -> dict[str, Any]:
        """The validation report of what the looks at a draft have found so far."""
        parts = {kind: self.look_for(draft, kind).part() for kind in ("data", "model", "fit")}
        return validation_report(sources(draft.data, draft.model, **draft.choices()), parts)

    def create_from(self, draft: Draft) -> dict[str, Any]:
        """Register the audit that a draft describes, from what its finished looks found.

        Returns:
            The ``create`` document of DESIGN §9.

        Raises:
            InputError: The name cannot be used, or data and model do not fit; nothing is registered then.
            JobError: A look is not finished.
        """
        if self.read_only:
            raise ReadOnlyError()
        check_name(self.home, draft.name)
        data, model = (self.look_for(draft, kind).part() for kind in ("data", "model"))
        for part in (data, model):
            if isinstance(part, TracinVizError):
                raise part
        if data is None or model is None or isinstance(data, Exception) or isinstance(model, Exception):
            raise JobError("The look at data and model is not finished.", remedy="Wait for it.")
        record = record_of(draft.name, sources(draft.data, draft.model, **draft.choices()), data, model)
        record = edited(record, draft.chosen_rows())
        fit = self.look_for(draft, "fit").found or {}
        notes = {"seconds_per_example": fit["seconds_per_example"]} if "seconds_per_example" in fit else {}
        registry.register(self.home, record.with_notes(notes, created=time.time()))
        self.drafts.remove(draft.id)
        return created_document(record)

    def run_folder(self, model: str | Path) -> Path:
        """Where the checkpoints are: ``model`` itself, or what is in it where it is an archive.

        Raises:
            InputError: It is an archive that cannot be unpacked.
        """
        return unpacked(Path(model).expanduser(), self.uploads)

    def preview_data(self, path: str | Path, mapping: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the data set at ``path`` would become (``data.preview.DataPreview``), with small pictures.

        Raises:
            InputError: It cannot be used.
        """
        return look("data", data_request(Path(path), mapping))

    def preview_model(self, path: str | Path, **choices: Any) -> dict[str, Any]:
        """What is in the run folder at ``path`` (``models.bundle.inspect_run``).

        Args:
            path: Folder, archive or file with the checkpoints.
            choices: As for ``create``.

        Raises:
            InputError: It cannot be used.
        """
        return look("model", model_request(sources("", self.run_folder(path), **choices)))

    def check(self, data: str | Path, model: str | Path, **choices: Any) -> dict[str, Any]:
        """The validation report of data and model together (``report.validation_report``); registers nothing.

        Args:
            data: Where the examples are.
            model: Where the checkpoints are.
            choices: As for ``create``.
        """
        wanted = sources(data, self.run_folder(model), **choices)
        requests = {
            "data": data_request(wanted.data, choices.get("mapping")),
            "model": model_request(wanted),
            "fit": fit_request(wanted),
        }
        parts: dict[str, Any] = {}
        for kind, request in requests.items():
            try:
                parts[kind] = look(kind, request)
            except TracinVizError as error:
                parts[kind] = error
        return validation_report(wanted, parts)

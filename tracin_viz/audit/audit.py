"""One audit and every question that pages and the command line ask about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from tracin_viz.audit.asking import Asking
from tracin_viz.audit.evidence import Evidence
from tracin_viz.audit.exporting import Exporting
from tracin_viz.audit.findings import recovery_document, suspect_entries, suspects_document
from tracin_viz.audit.reported import Progress
from tracin_viz.audit.reporting import report_document
from tracin_viz.audit.results import Results
from tracin_viz.audit.runs import Runs
from tracin_viz.audit.warming import warm
from tracin_viz.config import CheckpointInfo, Home
from tracin_viz.data.dataset import Content
from tracin_viz.data.thumbnails import thumbnail
from tracin_viz.errors import NotFoundError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.report.options import ReportOptions
from tracin_viz.report.page import report_page
from tracin_viz.report.words import ENGLISH, Words
from tracin_viz.report.writing import check_place, write_report
from tracin_viz.store import registry
from tracin_viz.store.checkpoint_choice import edited
from tracin_viz.store.database import Database
from tracin_viz.store.registry import AuditRecord

#: Pixels of the largest thumbnail that is kept in the database.
LARGEST_KEPT = 384


class Audit(Asking, Evidence, Exporting, Runs):
    """A registered audit. Get one from ``Workspace.open``.

    Attributes:
        home: The workspace it belongs to.
        record: What was registered.
    """

    def __init__(self, home: Home, database: Database, record: AuditRecord) -> None:
        self.home = home
        self.record = record
        self.database = database
        self.results = Results(home, record)

    @property
    def name(self) -> str:
        """Name of the audit."""
        return self.record.name

    @property
    def title(self) -> str:
        """Name for display."""
        return str(self.record.notes.get("title", self.record.name))

    @property
    def task(self) -> str:
        """``"image"`` or ``"text"``."""
        return self.record.task

    @property
    def target(self) -> str:
        """What a label is: ``"class"``, ``"multi-label"`` or ``"number"``."""
        return self.record.target

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by output index of the model; none where labels are numbers."""
        return self.record.classes

    @property
    def checkpoints(self) -> tuple[CheckpointInfo, ...]:
        """All checkpoints of the audit by rising step."""
        return self.record.checkpoints

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples per split."""
        return self.record.splits

    @property
    def notes(self) -> dict[str, Any]:
        """Facts for display, such as origin, licence and test accuracy."""
        return self.record.notes

    def set_checkpoints(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Switch checkpoints on or off and set their learning rates; no gradient is computed again.

        Args:
            rows: ``{"step": int, "use": bool, "learning_rate": float}``; what is missing stays.

        Raises:
            InputError: An unknown step, a rate that is no positive number, or nothing left in use.
            ReadOnlyError: The workspace was opened for looking only.
        """
        self.database.require_writable()
        changed = edited(registry.read(self.home, self.name), rows)
        registry.replace_record(self.home, changed)
        self.renew(changed)

    def limited(self, steps: Sequence[int]) -> Audit:
        """The same audit as if only the checkpoints of these steps counted, for this answer.

        Nothing is stored and no gradient is computed again: gradients are kept per checkpoint, and no
        learning-rate weight depends on which others count.

        Args:
            steps: Of the checkpoints that count, also of such as are switched off.

        Raises:
            InputError: An unknown step, or none at all.
        """
        known = {one.step for one in self.checkpoints}
        rows = [{"step": step, "use": True} for step in steps]
        off = [{"step": step, "use": False} for step in known - set(steps)]
        return Audit(self.home, self.database, edited(self.record, [*rows, *off]))

    def comparable(self, other: Audit) -> bool:
        """Whether ``other`` has the same training examples in the same order: rows mean the same."""
        if self.splits["train"] != other.splits["train"]:
            return False
        here, there = (one.results.dataset().splits["train"].sources for one in (self, other))
        return here is there or list(here) == list(there)

    def renew(self, record: AuditRecord) -> None:
        """Go on with ``record``, a newer version of this audit's own."""
        self.record = record
        self.results = Results(self.home, record)

    def examples(self, split: str) -> pd.DataFrame:
        """The examples of ``split`` with what the last checkpoint says about them.

        Returns:
            Columns id, row, source, label, predicted (class names), confidence (of the prediction, 0–1),
            loss, margin, wrong; the training split also self_influence and percentile (0–100).

        Raises:
            NotFoundError: There is no such split.
            NotComputedError: No finished run.
        """
        if split not in self.splits:
            raise NotFoundError(
                f"Audit '{self.name}' has no split '{split}'.",
                remedy=f"Its splits: {', '.join(self.splits)}.",
            )
        return self.results.examples(split)

    def warm(self) -> None:
        """Let the query process load this audit, so that its first question is answered at once.

        Returns immediately, may be called as often as one likes, and does nothing before there are scores.
        """
        if self.results.scores_ready():
            warm(self.home, self.name, self.results.plan().map_key)

    def suspects(
        self,
        *,
        ranking: str = "self-influence",
        class_name: str | None = None,
        top: int = 100,
        among: npt.NDArray[np.int64] | None = None,
    ) -> dict[str, Any]:
        """Training examples that look mislabelled or rare, the most suspicious first (DESIGN §9).

        Args:
            ranking: What suspicion is measured by.
            class_name: Only examples with this given label.
            top: How many at most.
            among: Only these rows of the training split.
        """
        return suspects_document(self.record, self.results, ranking, class_name, top, among)

    def suspect_entries(
        self, rows: Sequence[int], *, ranking: str = "self-influence"
    ) -> list[dict[str, Any]]:
        """The lines of the suspects document for these training rows, in their order.

        What a page needs of the few examples that it shows: the whole document of a large audit is slow.
        """
        return suspect_entries(self.record, self.results, ranking, rows)

    def suspect_scores(self, ranking: str) -> npt.NDArray[np.float64]:
        """(N,) scores of the training examples, higher = more suspicious, NaN where not measurable."""
        return self.results.suspect_scores(ranking)

    def recovery(self) -> dict[str, Any] | None:
        """How many known wrong labels each ranking finds; ``None`` where the truth is unknown."""
        return recovery_document(self.results)

    def report(
        self, options: ReportOptions | None = None, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Everything the report says, as plain values; ``report.page.report_page`` makes the file of it.

        Args:
            options: What shall be in it.
            progress: Called with the name of the present part, its steps done and their number.
        """
        return report_document(self, options, progress)

    def write_report(self, report: Mapping[str, Any], output: Path, words: Words = ENGLISH) -> Path:
        """Write ``report`` as one HTML file that needs nothing else.

        Raises:
            InputError: The place is a folder or part of the audit's own data.
        """
        return write_report(report_page(report, words), output, protected=self._report_protected())

    def check_report_place(self, output: Path) -> None:
        """Refuse a place that ``write_report`` would refuse, before the report is gathered.

        Raises:
            InputError: The place is a folder or part of the audit's own data.
        """
        check_place(output, self._report_protected())

    def _report_protected(self) -> list[Path]:
        return [Path(self.record.data), Path(self.record.model), self.home.audits]

    def content(self, split: str, row: int) -> Content:
        """The example itself: a picture or a text.

        Raises:
            NotFoundError: No such split or row.
        """
        count = self.splits.get(split)
        if count is None or not 0 <= row < count:
            raise NotFoundError(
                f"Audit '{self.name}' has no example {split}:{row}.",
                remedy="; ".join(f"{name} has rows 0 to {size - 1}" for name, size in self.splits.items())
                + ".",
            )
        return self.results.dataset().load(split, row)

    def thumbnail(self, split: str, row: int, size: int = 128) -> bytes:
        """A small WebP picture of an image example, made once and kept in the database.

        One above ``LARGEST_KEPT`` pixels is made anew each time: few are asked for, and each takes much room.

        Raises:
            NotFoundError: No such example, or it is not an image.
        """
        count = self.splits.get(split)
        if self.task != "image" or count is None or not 0 <= row < count:
            raise NotFoundError(f"Audit '{self.name}' has no picture {split}:{row}.")
        content = self.results.dataset().digest(split, range(row, row + 1))
        key = fingerprint(["thumbnail", content, size])
        kept = self.database.read("SELECT webp FROM thumbnails WHERE key = ?", (key,))
        if kept:
            return bytes(kept[0]["webp"])
        picture = self.results.dataset().load(split, row)
        if not isinstance(picture, Image.Image):
            raise NotFoundError(f"Example {split}:{row} of audit '{self.name}' is no picture.")
        made = thumbnail(picture, size)
        if size > LARGEST_KEPT:
            return made
        with self.database.write(passing=True) as connection:
            connection.execute("INSERT OR IGNORE INTO thumbnails (key, webp) VALUES (?, ?)", (key, made))
        return made

    def source_path(self) -> Path:
        """Where the data set is; only ever read."""
        return Path(self.record.data)

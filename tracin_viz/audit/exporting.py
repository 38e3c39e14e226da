"""Decided labels leave the app in the formats of other programs, and come back from the same files."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from tracin_viz.audit.export_rows import export_rows
from tracin_viz.audit.relabelling import Relabelling
from tracin_viz.audit.wording import given_words
from tracin_viz.errors import InputError
from tracin_viz.relabel.bulk import append_all
from tracin_viz.relabel.decisions import Decision
from tracin_viz.relabel.exports import entries, importing, table, writing
from tracin_viz.relabel.exports.label_texts import given_texts
from tracin_viz.relabel.exports.placing import LINKS
from tracin_viz.relabel.exports.progress import Progress, silent
from tracin_viz.relabel.exports.reading import read_labels
from tracin_viz.relabel.plain_text import storable
from tracin_viz.relabel.spreadsheet import csv_text

#: Names of the export formats, and which rows a file may have.
EXPORT_FORMATS = tuple(writing.FORMATS)
EXPORT_ROWS = table.ROWS
EXPORT_LINKS = LINKS


@dataclass(frozen=True)
class ExportFormat:
    """A format as a page offers it.

    Attributes:
        name: What ``Audit.export`` takes.
        ending: What its file's name ends in; empty = a folder.
        whole: It always has every example.
    """

    name: str
    ending: str
    whole: bool


class Exporting(Relabelling):
    """The part of an audit that writes labels to files and reads them from files."""

    def export(
        self,
        format: str,
        output: Path,
        *,
        rows: str = "all",
        links: str = "copy",
        told: Progress = silent,
    ) -> Path:
        """Write given and decided labels.

        Args:
            format: A key of ``writing.FORMATS``.
            output: File or new folder to write; the audit's own data is never overwritten.
            rows: ``all`` training examples, the ``decided`` ones, or the ``changes``.
            links: For folders of pictures: ``copy``, or ``hard`` for hard links where they can be made.
            told: Called with how much is written and how much there is; what it raises stops the export,
                which then leaves nothing.

        Raises:
            InputError: Unknown or unfit format, or ``output`` would overwrite something.
            StoreError: The disk refused.
        """
        chosen = writing.FORMATS.get(format)
        found = self.export_table("all" if chosen is not None and chosen.whole else rows)
        return writing.write(
            found,
            format,
            output,
            writing.Subject(self.results.dataset(), links, told),
            protected=[
                Path(self.record.data),
                Path(self.record.model),
                self.database.path,
                self.home.audits,
                self.home.artifacts,
            ],
        )

    def export_formats(self) -> list[ExportFormat]:
        """The formats that this audit's examples and labels can be written in."""
        dataset = self.results.dataset()
        return [
            ExportFormat(name, each.ending, each.whole)
            for name, each in writing.FORMATS.items()
            if each.fits(dataset)
        ]

    def export_table(self, rows: str = "all") -> pd.DataFrame:
        """The table that every export writes: columns of ``relabel.exports.schema.SCHEMA``.

        Args:
            rows: ``all``, ``decided`` or ``changes``.

        Raises:
            InputError: Unknown ``rows``.
        """
        # Most labels are the same few: each is looked at once.
        canonical = lru_cache(1 << 16)(self._subject().canonical)
        found = table.rows(export_rows(self.results), self.decisions(), self.history(), canonical=canonical)
        return table.chosen(found, rows)

    def export_rows(self, rows: str = "all") -> Sequence[int]:
        """Rows of the training split that an export has, ascending.

        Args:
            rows: ``all``, ``decided`` or ``changes``.

        Raises:
            InputError: Unknown ``rows``.
        """
        if rows not in table.ROWS:
            raise InputError(f"Rows '{rows}' are not known.", remedy=f"Possible: {', '.join(table.ROWS)}.")
        if rows == "all":
            return range(self.record.splits["train"])
        if rows == "decided":
            found = set(map(_train_row, table.newest_by_annotator(self.history())))
        else:
            subject = self._subject()
            found = {
                row
                for name, one in self.decisions().items()
                if (row := _train_row(name)) >= 0
                and (one.action == "exclude" or _changed(one, subject.given[row], subject.canonical))
            }
        return sorted(found - {-1})

    def export_preview(self, only: Sequence[int]) -> pd.DataFrame:
        """The given rows of ``export_table``, without making all of it."""
        names = {f"train:{row}" for row in only}
        decisions = {name: one for name, one in self.decisions().items() if name in names}
        events = [event for event in self.history() if event.example_id in names]
        examples = export_rows(self.results, only)
        return table.rows(examples, decisions, events, canonical=self._subject().canonical)

    def export_csv(self) -> bytes:
        """The CSV export as bytes, for a download button."""
        return csv_text(self.export_table()).encode()

    def export_bytes(self, format: str, *, rows: str = "all") -> bytes:
        """An export that is one file, as bytes for a download button.

        Raises:
            InputError: Unknown format or rows, or the format is a folder.
        """
        with tempfile.TemporaryDirectory() as folder:
            made = self.export(format, Path(folder) / "export", rows=rows)
            if made.is_dir():
                raise InputError(
                    f"The format {format} is a folder and cannot be downloaded as one file.",
                    remedy="Let the server write it.",
                )
            return made.read_bytes()

    def export_here(
        self, format: str, *, rows: str = "all", links: str = "copy", told: Progress = silent
    ) -> Path:
        """Write an export into the folder ``exports`` of the workspace, under a name that says what it is.

        Takes the same as ``export``.

        Raises:
            InputError: Unknown or unfit format, or unknown rows.
            StoreError: The disk refused.
        """
        chosen = writing.FORMATS.get(format)
        when = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        name = f"{self.record.name}-{format}-{rows}-{when}-{uuid.uuid4().hex[:4]}"
        ending = chosen.ending if chosen is not None else ""
        return self.export(
            format, self.home.root / "exports" / f"{name}{ending}", rows=rows, links=links, told=told
        )

    def import_labels(
        self, path: Path, *, annotator: str = "", store: bool = True, told: Progress = silent
    ) -> dict[str, Any]:
        """Take over the decisions in a file or folder that an export wrote.

        Args:
            path: File or folder, in any export format.
            annotator: Whose decisions those rows are that name nobody.
            store: Whether to store them; without it only what would happen is said.
            told: Called with how many rows were looked at and how many there are; what it raises ends the
                import before anything is stored.

        Returns:
            ``{audit, labels, format, rows, new, already, older, replaces, annotators}``: rows of the file,
            decisions stored, those that were here already, those older than the same person's here, examples
            about which something else held, and who made the stored ones.

        Raises:
            InputError: The file cannot be read, or a row cannot be right: then nothing is stored.
        """
        planned = importing.plan(
            read_labels(path), self._subject(), self.history(), annotator=annotator, told=told
        )
        if store:
            append_all(self.events, planned.events)
        return {"audit": self.record.name, "labels": str(path), **planned.as_dict()}

    def _subject(self) -> entries.Subject:
        dataset = self.results.dataset()
        words = given_words(dataset, "train")
        return entries.Subject(
            self.record.name,
            dataset.target,
            dataset.classes,
            [storable(text) for text in given_texts(dataset, "train")],
            [storable(source) for source in dataset.splits["train"].sources],
            lambda row: str(words[row]),
        )


def _train_row(example_id: str) -> int:
    """Row of a training example; -1 for one of another split."""
    split, _, row = example_id.rpartition(":")
    return int(row) if split == "train" else -1


def _changed(decision: Decision, given: str, canonical: Callable[[str], str]) -> bool:
    label = decision.label if decision.action == "relabel" else None
    return bool(label) and label is not None and canonical(label) != given

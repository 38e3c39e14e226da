"""Decided labels leave the app in the formats of other programs, and come back from the same files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from tracin_viz.audit.export_rows import export_rows
from tracin_viz.audit.relabelling import Relabelling
from tracin_viz.audit.wording import given_words
from tracin_viz.relabel.bulk import append_all
from tracin_viz.relabel.exports import entries, importing, table, writing
from tracin_viz.relabel.exports.label_texts import given_texts
from tracin_viz.relabel.exports.pictures import LINKS
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
        title: In plain words.
        ending: What its file's name ends in; empty = a folder.
        whole: It always has every example.
    """

    name: str
    title: str
    ending: str
    whole: bool


class Exporting(Relabelling):
    """The part of an audit that writes labels to files and reads them from files."""

    def export(self, format: str, output: Path, *, rows: str = "all", links: str = "copy") -> Path:
        """Write given and decided labels.

        Args:
            format: A key of ``writing.FORMATS``.
            output: File or new folder to write; the audit's own data is never overwritten.
            rows: ``all`` training examples, the ``decided`` ones, or the ``changes``.
            links: For folders of pictures: ``copy``, or ``hard`` for hard links where they can be made.

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
            writing.Subject(self.results.dataset(), links),
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
            ExportFormat(name, each.title, each.ending, each.whole)
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

    def export_csv(self) -> bytes:
        """The CSV export as bytes, for a download button."""
        return csv_text(self.export_table()).encode()

    def import_labels(self, path: Path, *, annotator: str = "", store: bool = True) -> dict[str, Any]:
        """Take over the decisions in a file or folder that an export wrote.

        Args:
            path: File or folder, in any export format.
            annotator: Whose decisions those rows are that name nobody.
            store: Whether to store them; without it only what would happen is said.

        Returns:
            ``{audit, labels, format, rows, new, already, older, replaces, annotators}``: rows of the file,
            decisions stored, those that were here already, those older than the same person's here, examples
            about which something else held, and who made the stored ones.

        Raises:
            InputError: The file cannot be read, or a row cannot be right: then nothing is stored.
        """
        planned = importing.plan(read_labels(path), self._subject(), self.history(), annotator=annotator)
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

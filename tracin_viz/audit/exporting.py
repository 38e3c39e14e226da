"""Decided labels leave the app: the table of all training examples, in the formats other programs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tracin_viz.audit.relabelling import Relabelling
from tracin_viz.audit.wording import given_words, suggestion_words
from tracin_viz.explore import suspects
from tracin_viz.relabel import export as exports

#: Names of the export formats.
EXPORT_FORMATS = tuple(exports.FORMATS)


class Exporting(Relabelling):
    """The part of an audit that writes labels to files."""

    def export(self, format: str, output: Path) -> Path:
        """Write given and current labels of all training examples.

        Args:
            format: A key of ``relabel.export.FORMATS``.
            output: File to write; the audit's own data is never overwritten.

        Raises:
            InputError: Unknown format, or ``output`` would overwrite the source data.
        """
        return exports.write(
            self._export_rows(), format, output, protected=[Path(self.record.data), Path(self.record.model)]
        )

    def export_csv(self) -> bytes:
        """The CSV export as bytes, for a download button."""
        return exports.csv_bytes(self._export_rows())

    def _export_rows(self) -> pd.DataFrame:
        rows = self.results.dataset().splits["train"]
        labels = np.asarray(rows.labels)
        examples = pd.DataFrame(
            {
                "id": [f"train:{row}" for row in range(len(labels))],
                # A file name that is not valid text holds surrogates, which pandas takes as objects only.
                "source": pd.Series(list(rows.sources), dtype=object),
                "label": given_words(self.results.dataset(), "train"),
            }
        )
        # Decisions can be exported before (or without) a computation: those columns are then empty.
        if self.results.scores_ready():
            measured = self.results.measured("train")
            suggested, _ = suspects.suggestions(labels, measured["other"], measured["other_probability"])
            scores = self.results.suspect_scores("self-influence")
            examples["suggested"] = [
                suggestion_words(self.results.dataset(), row, int(other), float("nan"))
                for row, other in enumerate(suggested)
            ]
            examples["score"] = scores
            examples["percentile"] = suspects.percentiles(scores)
        return exports.rows(examples, self.decisions())

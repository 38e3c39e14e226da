"""What a report shall hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tracin_viz.errors import InputError

#: Pixel widths of pictures; small ones still show a handwritten digit or a face.
SMALL, LARGE = 128, 256
MOST_FINDINGS = 200


@dataclass(frozen=True)
class ReportOptions:
    """Choices about a report.

    Attributes:
        findings: Top suspects that are shown with their content.
        pictures: Pixels of a picture's longer side: ``SMALL`` or ``LARGE``.
        names: Show who decided; otherwise annotators are numbered.
        clusters: Clusters that get a row.
        neighbours: Of the findings, how many get their proponents and opponents measured exactly; each is a
            question to the query process.
        explained: Whether one prediction is explained; that is a question to the query process too.
        query: The example whose prediction is explained; empty = the wrong prediction the model is surest of.
    """

    #: What ``pictures`` may be.
    SIZES: ClassVar[tuple[int, int]] = (SMALL, LARGE)

    findings: int = 24
    pictures: int = SMALL
    names: bool = True
    clusters: int = 6
    neighbours: int = 6
    explained: bool = True
    query: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.findings <= MOST_FINDINGS:
            raise InputError(
                f"A report of {self.findings} findings cannot be made.",
                remedy=f"Ask for 1 to {MOST_FINDINGS}.",
            )
        if self.pictures not in (SMALL, LARGE):
            raise InputError(
                f"Pictures of {self.pictures} pixels are not offered.",
                remedy=f"Possible: {', '.join(map(str, (SMALL, LARGE)))}.",
            )
        if self.clusters < 0 or self.neighbours < 0:
            raise InputError(
                "Numbers of clusters and neighbours cannot be negative.", remedy="Give 0 or more."
            )

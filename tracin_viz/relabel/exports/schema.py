"""The columns of every export: names, kinds and meanings, in one place that documents and tests share."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

KINDS = {"text": "str", "number": "float64", "count": "int64", "flag": "bool"}


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        kind: A key of ``KINDS``.
        meaning: What it holds, in one sentence.
    """

    kind: str
    meaning: str


#: Every column of an export, in order.
SCHEMA: dict[str, Column] = {
    "id": Column("text", "Example: split:row, row = its place in that split in file order."),
    "source": Column("text", "File path relative to the data folder, or the full text."),
    "given_label": Column("text", "Label that the data give, before any decision."),
    "label": Column("text", "Label to train with: the decided one, else the given one; empty = excluded."),
    "action": Column("text", "What holds now: keep, relabel, exclude or review; empty = not decided."),
    "changed": Column("flag", "True where `label` is not `given_label`, excluded examples included."),
    "excluded": Column("flag", "True where the example should not be trained on."),
    "needs_review": Column("flag", "True where somebody else should look at it."),
    "suggested_label": Column("text", "Label that the audit suggested; empty = none."),
    "score": Column(
        "number", "Self-influence, higher = more suspicious; empty = not computed or not measurable."
    ),
    "percentile": Column(
        "number", "Place of that score in the training set, 0-100, higher = more suspicious."
    ),
    "annotator": Column("text", "Who decided what holds now; empty = not decided."),
    "decided_at": Column("text", "When, ISO 8601 in UTC to the millisecond; empty = not decided."),
    "note": Column("text", "What that annotator wrote about it."),
    "n_annotators": Column("count", "How many people's decisions about it hold."),
    "agreement": Column(
        "number",
        "Share of them, 0-1, who decided what holds now, or the largest share that agrees where nothing "
        "does; empty with fewer than two people.",
    ),
    "decisions": Column(
        "text",
        "Each person's newest decision, oldest first, as a JSON array of objects with annotator, action, "
        "label (where the action is relabel), at, note, and settles (true where it settles a disagreement); "
        "empty = none.",
    ),
}

#: Columns that the format ``cleanlab`` has besides those.
CLEANLAB: dict[str, Column] = {
    "is_label_issue": Column("flag", "As `changed`: a person found the given label wrong."),
    "label_score": Column("number", "1 - `percentile` / 100, as cleanlab has it: low = bad."),
    "predicted_label": Column("text", "`suggested_label`, else the given label; empty = not computed."),
    "corrected_label": Column("text", "As `label`."),
}

#: Columns of the format ``cleanlab-multi``, which has these only, and one `annotator:NAME` for each person.
WIDE: dict[str, Column] = {
    **{name: SCHEMA[name] for name in ("id", "source", "given_label", "suggested_label", "decisions")},
    "given": Column("count", "Number of the given class, from 0 in the audit's order; -1 = none."),
}


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the schema's types, its columns in the schema's order."""
    kinds = {name: KINDS[column.kind] for name, column in SCHEMA.items()}
    return frame[list(SCHEMA)].astype(kinds).reset_index(drop=True)

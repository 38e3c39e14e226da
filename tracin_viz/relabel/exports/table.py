"""The table that every format writes: one row for each training example, decided or not.

A file alone can then replace the labels, and the same file brings the decisions back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from tracin_viz.errors import InputError
from tracin_viz.relabel.decisions import Decision, Event, holding
from tracin_viz.relabel.exports.json_text import quoted
from tracin_viz.relabel.exports.schema import SCHEMA, typed
from tracin_viz.relabel.plain_text import storable

#: Which rows a file has.
ROWS: dict[str, str] = {
    "all": "every training example",
    "decided": "those that somebody decided about",
    "changes": "those whose label changed, or that are excluded",
}

Canonical = Callable[[str], str]
#: Who decided, and whether to settle what others disagree about.
Voice = tuple[str, bool]


def rows(
    examples: pd.DataFrame,
    decisions: Mapping[str, Decision],
    events: Sequence[Event] = (),
    *,
    canonical: Canonical = str,
) -> pd.DataFrame:
    """The export of these examples: one row each, columns of ``SCHEMA``.

    Args:
        examples: The training examples with columns ``id``, ``source`` and ``label`` (given, as text) and,
            where known, ``suggested``, ``score`` and ``percentile``.
        decisions: What holds, by example id; decisions about other examples have no row here.
        events: The whole log, for what each single annotator decided; without it only what holds is known.
        canonical: A decided label in the form that given labels have, so that equal ones look equal.

    Raises:
        InputError: A needed column is missing or an id appears twice.
    """
    _check(examples)
    ids = [str(identifier) for identifier in examples["id"].tolist()]
    made = [decisions.get(identifier) for identifier in ids]
    by_example = newest_by_annotator(events) if events else {}
    given = [storable(str(label)) for label in examples["label"].tolist()]
    labels = [
        label if one is None else _label(one, label, canonical)
        for one, label in zip(made, given, strict=True)
    ]
    people = [
        list(by_example.get(identifier, {}).values()) or ([one.event] if one else [])
        for one, identifier in zip(made, ids, strict=True)
    ]
    frame = pd.DataFrame(
        {
            "id": ids,
            "source": [storable(str(source)) for source in examples["source"].tolist()],
            "given_label": given,
            "label": labels,
            "action": [one.action if one else "" for one in made],
            "changed": [new != old for new, old in zip(labels, given, strict=True)],
            "excluded": [one is not None and one.action == "exclude" for one in made],
            "needs_review": [one is not None and one.action == "review" for one in made],
            "suggested_label": [
                _text(value) or (_text(one.event.suggested) if one else "")
                for value, one in zip(_column(examples, "suggested", ""), made, strict=True)
            ],
            "score": _column(examples, "score", float("nan")),
            "percentile": _column(examples, "percentile", float("nan")),
            "annotator": [one.event.annotator if one else "" for one in made],
            "decided_at": _times(made),
            "note": [one.event.note if one else "" for one in made],
            "n_annotators": [len({event.annotator for event in theirs}) for theirs in people],
            "agreement": [
                _agreement(one, theirs, label, canonical)
                for one, theirs, label in zip(made, people, given, strict=True)
            ],
            "decisions": _as_json(people, canonical),
        },
        columns=list(SCHEMA),
    )
    return typed(frame)


def chosen(frame: pd.DataFrame, which: str) -> pd.DataFrame:
    """The rows that ``which`` (a key of ``ROWS``) asks for.

    Raises:
        InputError: It is no key of ``ROWS``.
    """
    if which not in ROWS:
        raise InputError(f"Rows '{which}' are not known.", remedy=f"Possible: {', '.join(ROWS)}.")
    if which == "all":
        return frame
    kept = frame["changed"] if which == "changes" else frame["n_annotators"] > 0
    return frame[kept].reset_index(drop=True)


def newest_by_annotator(events: Sequence[Event]) -> dict[str, dict[Voice, Event]]:
    """Each annotator's newest decision that holds, by example and voice, in order of the log.

    What somebody decided to settle others' disagreement stands beside that person's own vote.
    """
    found: dict[str, dict[Voice, Event]] = {}
    for event in holding(events):
        if event.action not in ("undo", "skip"):
            own = found.setdefault(event.example_id, {})
            voice = (event.annotator, bool(event.settles))
            own.pop(voice, None)  # the newest comes last
            own[voice] = event
    return found


def iso(seconds: Sequence[float]) -> list[str]:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    moments = np.round(np.asarray(seconds, dtype=np.float64) * 1000).astype("datetime64[ms]")
    return [f"{moment}+00:00" for moment in np.datetime_as_string(moments).tolist()]


def _times(made: Sequence[Decision | None]) -> list[str]:
    known = iter(iso([one.event.decided_at for one in made if one is not None]))
    return ["" if one is None else next(known) for one in made]


def _as_json(people: Sequence[Sequence[Event]], canonical: Canonical) -> list[str]:
    times = iter(iso([event.decided_at for theirs in people for event in theirs]))
    return [
        f"[{', '.join([_entry(event, next(times), canonical) for event in theirs])}]" if theirs else ""
        for theirs in people
    ]


def _entry(event: Event, at: str, canonical: Canonical) -> str:
    """One decision as a JSON object."""
    label = "" if event.new_label is None else f', "label": {quoted(canonical(event.new_label))}'
    note = f', "note": {quoted(event.note)}' if event.note else ""
    settles = ', "settles": true' if event.settles else ""
    said = f'"annotator": {quoted(event.annotator)}, "action": {quoted(event.action)}'
    return f'{{{said}{label}, "at": "{at}"{note}{settles}}}'


def _agreement(decision: Decision | None, events: Sequence[Event], given: str, canonical: Canonical) -> float:
    if len(events) < 2:
        return float("nan")
    own = [_outcome(event.action, event.new_label, given, canonical) for event in events if not event.settles]
    if len(own) < 2:
        return float("nan")
    if decision is None:  # they differ, and nobody settled it
        return max(map(own.count, own)) / len(own)
    holds = _outcome(decision.action, decision.label, given, canonical)
    return own.count(holds) / len(own)


def _outcome(action: str, label: str | None, given: str, canonical: Canonical) -> tuple[str, str]:
    """What a decision comes to: keeping a label and relabelling to the same one are the same."""
    if action == "relabel" and label:
        return "label", canonical(label)
    return ("label", given) if action in ("keep", "relabel") else (action, "")


def _label(decision: Decision, given: str, canonical: Canonical) -> str:
    if decision.action == "exclude":
        return ""
    return canonical(decision.label) if decision.action == "relabel" and decision.label else given


def _check(examples: pd.DataFrame) -> None:
    missing = [name for name in ("id", "source", "label") if name not in examples.columns]
    if missing:
        raise InputError(f"The examples to export lack the column {', '.join(missing)}.")
    if examples["id"].duplicated().any():
        raise InputError(f"Example {examples['id'][examples['id'].duplicated()].iloc[0]} appears twice.")


def _column(examples: pd.DataFrame, name: str, default: object) -> list[object]:
    return examples[name].tolist() if name in examples.columns else [default] * len(examples)


def _text(value: object) -> str:
    return storable(value) if isinstance(value, str) else ""

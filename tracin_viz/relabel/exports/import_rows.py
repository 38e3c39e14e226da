"""Rows of a file of labels: which example each is about, and what was decided about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError
from tracin_viz.relabel.exports.entries import Entry, Subject, entries_in, entry_of
from tracin_viz.relabel.exports.label_studio_reading import entries as label_studio_entries
from tracin_viz.relabel.exports.label_texts import checked_label
from tracin_viz.relabel.exports.progress import Progress, silent
from tracin_viz.relabel.exports.reading import LabelFile

#: What a task's data say about the example, besides the example itself.
_TASK = ("id", "source", "given_label", "suggested_label")
_TRUE = ("true", "1", "yes")
#: Rows between two words about progress.
_EVERY = 1000
_CELLS = ("label", "corrected_label", "action", "excluded", "needs_review", "annotator", "decided_at", "note")


@dataclass(frozen=True)
class Row:
    """What a file decides about one example.

    Attributes:
        example_id: ``train:row``.
        given: Its given label, as events hold it.
        suggested: What was suggested, or empty.
        entries: The decisions, the one that holds last.
    """

    example_id: str
    given: str
    suggested: str
    entries: tuple[Entry, ...]


def rows_of(
    file: LabelFile, subject: Subject, problems: ProblemList, *, annotator: str, progress: Progress = silent
) -> list[Row]:
    """The rows that decide something; each that cannot be right is noted in ``problems``.

    Args:
        file: The labels.
        subject: The audit.
        problems: Gets one for each bad row, with its place and what to do.
        annotator: Whose decisions those are that name nobody.
        progress: Called as rows are looked at; it may raise, which ends it.

    Raises:
        InputError: The file has no column that says which example a row is about, or what is decided.
    """
    tasks = _are_tasks(file)
    if not tasks:
        _check_columns(file)
    reader = _Reader(subject, annotator, file)
    found = []
    seen: dict[int, int] = {}
    for place in range(len(file)):
        try:
            told = reader.task(place) if tasks else reader.cells(place)
            number = reader.example(told)
            if number in seen:
                raise InputError(
                    f"train:{number} appears twice; first in {file.place(seen[number])}.",
                    remedy="Keep one of the two rows.",
                )
            seen[number] = place
            row = reader.row(number, told)
        except InputError as error:
            problems.add("row", where=file.place(place), message=error.message, remedy=error.remedy)
        else:
            if row.entries:
                found.append(row)
        if place % _EVERY == 0:
            progress(place, len(file))
    return found


def _are_tasks(file: LabelFile) -> bool:
    """Whether these are tasks of Label Studio: each is an object with its data in an object."""
    data = file.columns.get("data")
    return bool(data) and "decisions" not in file.columns and all(text.startswith("{") for text in data or ())


def _check_columns(file: LabelFile) -> None:
    names = set(file.columns)
    if not names & {"id", "source"}:
        raise InputError(
            f"'{shown(file.path.name)}' has no column id or source, so nothing says which example a row is.",
            remedy="Keep the column id of the export.",
        )
    if not names & {"label", "corrected_label", "action", "decisions", "excluded", "needs_review"}:
        raise InputError(
            f"'{shown(file.path.name)}' has none of the columns label, action and decisions.",
            remedy="Keep the columns of the export.",
        )


class _Reader:
    def __init__(self, subject: Subject, annotator: str, file: LabelFile) -> None:
        self._subject = subject
        self._annotator = annotator
        self._columns = file.columns
        # An exported label is the decision only together with an action: alone it may just be the given one.
        self._has_label = "label" in file.columns or "corrected_label" in file.columns
        self._by_source: dict[str, int] | None = None

    def cells(self, place: int) -> dict[str, Any]:
        """A row of a table."""
        return {name: column[place] for name, column in self._columns.items()}

    def task(self, place: int) -> dict[str, Any]:
        """A task of Label Studio, as a row with decisions."""
        try:
            data = json.loads(self._columns["data"][place] or "{}")
            written = self._columns.get("annotations") or self._columns.get("completions")
            annotations = json.loads((written[place] if written else "") or "[]")
        except (ValueError, RecursionError) as error:
            raise InputError(f"Its task is no JSON ({shown(error)}).") from error
        if not isinstance(data, dict):
            raise InputError("Its data are no object.", remedy="Give a JSON export of Label Studio.")
        told = {name: data[name] for name in _TASK if isinstance(data.get(name), str)}
        return {**told, "annotations": annotations}

    def example(self, told: Mapping[str, Any]) -> int:
        """Row of the training split that a row is about, by its id, else by its source."""
        subject = self._subject
        identifier, source = str(told.get("id", "")), str(told.get("source", ""))
        if not identifier:
            number = self._sources().get(source, -1)
            if number < 0:
                raise InputError(
                    f"No example, or more than one, has the source '{shown(source)}'.",
                    remedy="Add the column id of the export.",
                )
        else:
            split, _, row = identifier.rpartition(":")
            usable = split == "train" and row.isascii() and row.isdecimal() and len(row) < 12
            number = int(row) if usable else -1
            if not 0 <= number < len(subject.given):
                raise InputError(
                    f"Audit '{subject.audit}' has no training example '{shown(identifier)}'.",
                    remedy=f"Its examples are train:0 to train:{len(subject.given) - 1}.",
                )
        self._check_same(number, told, source)
        return number

    def row(self, number: int, told: Mapping[str, Any]) -> Row:
        """What the row decides: the decisions of each person, then what somebody wrote into its cells."""
        subject = self._subject
        if "annotations" in told:
            entries = self._annotated(number, told["annotations"])
        else:
            entries = entries_in(told["decisions"], subject) if told.get("decisions") else []
            if any(told.get(name) for name in _CELLS):
                edited = self._edited(subject.given[number], told, entries)
                entries += [edited] if edited is not None else []
        suggested = str(told.get("suggested_label", ""))
        return Row(f"train:{number}", subject.stored(number) if entries else "", suggested, tuple(entries))

    def _annotated(self, number: int, annotations: object) -> list[Entry]:
        subject = self._subject
        try:
            found = label_studio_entries(annotations, subject.target, subject.given[number], subject.classes)
        except ValueError as error:
            why = str(error)
            raise InputError(
                f"It is no task as Label Studio writes them: {why}.", remedy="Give a JSON export of it."
            ) from error
        return [entry_of(entry, subject) for entry in found]

    def _edited(self, given: str, told: Mapping[str, Any], entries: list[Entry]) -> Entry | None:
        """The decision in the cells of the row, unless it is one of ``entries`` already."""
        told_action = _action(told)
        if _untouched(told_action, told, entries, given):
            return None
        action, label = self._meant(told_action, _label(told), given)
        if not action:
            return None
        own = told.get("annotator", "")
        note = told.get("note", "")
        # Where others decided, the name in the cell is theirs, and whoever changed the row is who imports it.
        who = self._annotator if entries and self._annotator else own or self._annotator
        entry = entry_of(
            {
                "action": action,
                "annotator": own or who,
                "label": label,
                "at": told.get("decided_at"),
                "note": note,
            },
            self._subject,
        )
        content = (entry.action, entry.label, entry.note)
        if any((one.action, one.label, one.note) == content for one in entries if own in ("", one.annotator)):
            return None
        if not entries:
            return entry
        return Entry(who.strip(), entry.action, entry.label, None, entry.note)

    def _meant(self, action: str, label: str, given: str) -> tuple[str, str]:
        """What action and label say together; an empty action = nothing was decided."""
        subject = self._subject
        same = label == given or (bool(label) and subject.canonical(label) == given)
        if not action:
            if label and not same:
                return "relabel", checked_label(label, subject.target, subject.classes)
            if not label and self._has_label and given:
                raise InputError(
                    "Its label is empty.", remedy="Name the label, or write exclude as the action."
                )
            return "", ""
        if action in ("keep", "review") and label and not same:
            raise InputError(
                f"It says {action}, but another label than the given one: '{shown(label)}'.",
                remedy="Write relabel as the action, or the given label.",
            )
        if action == "exclude" and label:
            raise InputError(
                f"It is excluded, but has the label '{shown(label)}'.",
                remedy="Empty the label, or write relabel as the action.",
            )
        return action, label

    def _check_same(self, number: int, told: Mapping[str, Any], source: str) -> None:
        """Refuse labels of other data: the same row number means another example there."""
        subject = self._subject
        given = str(told.get("given_label", ""))
        if given and given != subject.given[number] and subject.canonical(given) != subject.given[number]:
            raise InputError(
                f"The given label of train:{number} is '{shown(subject.given[number])}' here, and "
                f"'{shown(given)}' in the file.",
                remedy="Import it into an audit of the data it was exported from.",
            )
        if source and source != subject.sources[number]:
            raise InputError(
                f"Example train:{number} is '{shown(subject.sources[number])}' here, and '{shown(source)}' "
                "in the file.",
                remedy="Import it into an audit of the data it was exported from, or remove column source.",
            )

    def _sources(self) -> dict[str, int]:
        if self._by_source is None:
            found: dict[str, int] = {}
            for number, source in enumerate(self._subject.sources):
                found[source] = -1 if source in found else number
            self._by_source = found
        return self._by_source


def _untouched(action: str, told: Mapping[str, Any], entries: list[Entry], given: str) -> bool:
    """Whether the cells say no more than one of the row's checked decisions: nearly every row of an export.

    What is compared as text here would come out of ``_edited`` as ``None`` too, ten times as slowly.
    """
    own, note, label = told.get("annotator", ""), told.get("note", ""), _label(told)
    at = f'"at": "{told.get("decided_at", "")}"'
    return any(
        one.action == action
        and one.annotator == own
        and one.note == note
        and label == (one.label if action == "relabel" else "" if action == "exclude" else given)
        and at in told["decisions"]
        for one in entries
    )


def _label(told: Mapping[str, Any]) -> str:
    return str(told.get("label") or told.get("corrected_label") or "")


def _action(told: Mapping[str, Any]) -> str:
    action = str(told.get("action", "")).strip().lower()
    if action or "action" in told:
        return action
    if str(told.get("excluded", "")).strip().lower() in _TRUE:
        return "exclude"
    return "review" if str(told.get("needs_review", "")).strip().lower() in _TRUE else ""

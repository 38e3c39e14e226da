"""Annotations of Label Studio as decisions: our own that come back, and those that people made there."""

from __future__ import annotations

import json
from typing import Any

from tracin_viz.relabel.exports.label_studio import DECISION, LABEL, NOTE
from tracin_viz.relabel.exports.label_texts import checked_label


def entries(annotations: object, target: str, given: str, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The decisions in the annotations of one task, in the file's order, as column ``decisions`` has them.

    Annotations made in Label Studio itself have no ``meta``: then the annotator is the account that completed
    them, the time is Label Studio's, and what was decided follows from the label.

    Args:
        annotations: The list of them.
        target: What a label is.
        given: Label that the data give.
        classes: Names of the classes.

    Raises:
        ValueError: An annotation is not built as Label Studio builds them.
        InputError: It names a label that is none of this audit.
    """
    found = []
    if not isinstance(annotations, list):
        raise ValueError("its annotations are no list")
    for annotation in annotations:
        if not isinstance(annotation, dict) or not isinstance(annotation.get("result", []), list):
            raise ValueError("an annotation is no object with a list of results")
        if annotation.get("was_cancelled") or not annotation.get("result"):
            continue  # skipped there: nothing was decided
        found.append(_entry(annotation, target, given, classes))
    return found


def _entry(annotation: dict[str, Any], target: str, given: str, classes: tuple[str, ...]) -> dict[str, Any]:
    by_control = {
        str(result.get("from_name")): result for result in annotation["result"] if isinstance(result, dict)
    }
    value = _value(by_control.get(LABEL), target)
    label = None if value is None else checked_label(value, target, classes)
    decided = by_control.get(DECISION, {})
    action = next(iter(_listed(decided, "choices")), None)
    told = decided.get("meta")
    meta: dict[str, Any] = told if isinstance(told, dict) else {}
    if action is None:
        action = "keep" if label in (None, given) else "relabel"
        if label is None:
            raise ValueError("an annotation says neither a label nor a decision")
    entry: dict[str, Any] = {"annotator": meta.get("annotator") or _account(annotation), "action": action}
    if meta.get("settles") is True:
        entry["settles"] = True
    if action == "relabel" and label is not None:
        entry["label"] = label
    if at := meta.get("at") or annotation.get("created_at"):
        entry["at"] = at
    if note := "\n".join(str(line) for line in _listed(by_control.get(NOTE, {}), "text")):
        entry["note"] = note
    return entry


def _value(result: dict[str, Any] | None, target: str) -> str | None:
    if result is None:
        return None
    if target == "number":
        value = result.get("value")
        return json.dumps(value.get("number")) if isinstance(value, dict) else None
    names = _listed(result, "choices")
    if target == "multi-label":
        return json.dumps(names)
    if len(names) != 1:
        raise ValueError(f"an annotation gives {len(names)} classes, where a label is one")
    return str(names[0])


def _listed(result: dict[str, Any], name: str) -> list[Any]:
    value = result.get("value")
    found = value.get(name, []) if isinstance(value, dict) else []
    return found if isinstance(found, list) else [found]


def _account(annotation: dict[str, Any]) -> str:
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    return "Label Studio" if who in (None, "") else str(who) if "@" in str(who) else f"Label Studio {who}"

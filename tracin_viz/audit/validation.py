"""The validation report: what was found in data and model, what is wrong with it, and whether they fit."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from tracin_viz.audit.creation import Sources
from tracin_viz.errors import CancelledError, TracinVizError

#: Kinds of problems after which the scores would mean little, even though they can be computed.
SERIOUS = frozenset({"class order", "near chance", "weights not finite"})

_DATA_FACTS = ("format", "task", "target", "size", "classes", "splits", "class_counts", "mapping")
_MODEL_FACTS = ("format", "reason", "architecture", "parameters", "classes", "optimizer")


def validation_report(wanted: Sources, parts: Mapping[str, Any]) -> dict[str, Any]:
    """One document of everything that was looked at.

    Args:
        wanted: What was asked about.
        parts: ``data``, ``model`` and ``fit``: what each look found, or the error it met; any may be missing.

    Returns:
        ``usable`` (nothing prevents an audit), ``verdict`` (one sentence), ``data`` and ``model`` (facts),
        ``checkpoints`` (with accuracy and loss on some examples), ``measure`` (what that accuracy counts),
        ``order``, ``duplicates``, and ``problems`` as ``{kind, where, message, remedy,
        severity}``, severity "error", "serious" or "note".
    """
    found = {kind: part for kind, part in parts.items() if isinstance(part, dict)}
    problems = _problems(parts)
    data, model, fit = (found.get(kind, {}) for kind in ("data", "model", "fit"))
    usable = not any(problem["severity"] == "error" for problem in problems) and bool(data) and bool(model)
    return {
        "usable": usable,
        "verdict": _verdict(usable, problems, fit),
        "data": {
            "path": str(wanted.data),
            **{name: data.get(name) for name in _DATA_FACTS},
        },
        "model": {
            "path": str(wanted.model),
            **{name: model.get(name) for name in _MODEL_FACTS},
        },
        "checkpoints": _checkpoints(model.get("checkpoints", ()), fit.get("checkpoints", ())),
        "examples_tried": fit.get("examples", 0),
        "measure": fit.get("measure", "right"),
        "order": fit.get("order"),
        "duplicate_groups": data.get("duplicate_groups", 0),
        "duplicates": list(data.get("duplicates", ())),
        "problems": problems,
    }


def grouped(problems: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Problems by kind: what prevents an audit first, then what makes it doubtful, then notes."""
    rank = {"error": 0, "serious": 1, "note": 2}
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for problem in sorted(problems, key=lambda one: rank[one["severity"]]):
        groups.setdefault(problem["kind"], []).append(problem)
    return groups


def report_csv(report: Mapping[str, Any]) -> str:
    """The problems as a table."""
    output = io.StringIO()
    fields = ("severity", "kind", "where", "message", "remedy")
    writer = csv.DictWriter(output, fields, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for problem in report["problems"]:
        writer.writerow({name: _cell(str(problem[name])) for name in fields})
    return output.getvalue()


def _problems(parts: Mapping[str, Any]) -> list[dict[str, Any]]:
    problems = []
    for kind, part in parts.items():
        if isinstance(part, CancelledError):
            continue
        if isinstance(part, TracinVizError):
            what = {"data": "data", "model": "model", "fit": "data and model together"}[kind]
            first = {"kind": what, "where": what, "message": part.message, "remedy": part.remedy}
            # The fit can only be tried when both can be opened: their own errors say it better.
            if kind != "fit" or all(isinstance(parts.get(one), dict) for one in ("data", "model")):
                problems.append({**first, "severity": "error"})
                problems += [{**one.as_dict(), "severity": "error"} for one in part.problems]
        elif part is not None:
            problems += [{**one, "severity": _severity(one["kind"])} for one in part["problems"]]
    unique = {tuple(sorted(problem.items())): problem for problem in problems}
    return list(unique.values())


def _severity(kind: str) -> str:
    return "serious" if kind in SERIOUS else "note"


def _verdict(usable: bool, problems: Sequence[Mapping[str, Any]], fit: Mapping[str, Any]) -> str:
    if not usable:
        return "This cannot be audited as it is."
    serious = [problem for problem in problems if problem["severity"] == "serious"]
    if serious:
        return f"This can be audited, but the scores would mean little: {serious[0]['message']}"
    tried = fit.get("checkpoints", ())
    if tried:
        best = max(one["accuracy"] for one in tried)
        said = {
            "labels right": f"sets {best:.0%} of the labels of {fit['examples']} examples right",
            "variation explained": f"explains {best:.0%} of the variation in {fit['examples']} numbers",
        }.get(fit.get("measure", ""), f"is right on {best:.0%} of {fit['examples']} examples")
        return f"Data and model fit together: the best checkpoint {said}."
    return "Nothing prevents an audit."


def _checkpoints(
    found: Sequence[Mapping[str, Any]], tried: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    measured = {one["step"]: one for one in tried}
    return [
        {
            **one,
            "accuracy": measured.get(one["step"], {}).get("accuracy"),
            "loss": measured.get(one["step"], {}).get("loss"),
        }
        for one in found
    ]


def _cell(text: str) -> str:
    # A spreadsheet would run what begins like a formula.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text

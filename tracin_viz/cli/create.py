"""Looking at data and model, and making an audit of them: ``check`` and ``create``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracin_viz.audit import report_csv, report_html
from tracin_viz.cli.commands import print_json, print_table, short, workspace
from tracin_viz.errors import InputError

#: Fields of a mapping that are lists, written with commas on the command line.
_LISTS = ("unlabelled",)
#: Fields that may be one name or several.
_ONE_OR_MORE = ("content", "label")
_PREPROCESSING = ("size", "mean", "std", "channels")


def create(options: argparse.Namespace) -> None:
    """Register an audit and print what was found."""
    found = workspace(options).create(
        options.name, data=options.data, model=options.model, **_choices(options)
    )
    if options.json:
        print_json(found)
        return
    splits = ", ".join(f"{name} {count:,}" for name, count in found["splits"].items())
    print(f"audit {found['audit']}: {found['task']}, {splits}, {len(found['classes'])} classes")
    for number, checkpoint in enumerate(found["checkpoints"], 1):
        rate, origin = checkpoint["learning_rate"], checkpoint["provenance"]
        print(f"  checkpoint {number}: step {checkpoint['step']}, learning rate {rate:.3g} ({origin})")
    for problem in found["problems"]:
        print(f"  note: {problem['message']} {problem['remedy']}")
    print(f"next: tracin-viz compute {found['audit']}")


def check(options: argparse.Namespace) -> None:
    """Print the validation report, and write it where asked."""
    report = workspace(options).check(options.data, options.model, **_choices(options))
    if options.report is not None:
        _write(report, Path(options.report))
    if options.json:
        print_json(report)
    else:
        _print_report(report)
    if not report["usable"]:
        errors = [problem for problem in report["problems"] if problem["severity"] == "error"]
        raise InputError(errors[0]["message"], remedy=errors[0]["remedy"])


def key_values(given: Sequence[str] | None, option: str) -> dict[str, Any]:
    """What ``--mapping`` or ``--options`` was given: JSON files and ``key=value``, the later ones winning.

    Raises:
        InputError: Neither a file with a JSON object nor ``key=value``.
    """
    found: dict[str, Any] = {}
    for entry in given or ():
        key, sign, value = entry.partition("=")
        if sign and not Path(entry).is_file():
            found[key.strip()] = _value(key.strip(), value)
            continue
        try:
            document = json.loads(Path(entry).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{option} {entry}: neither a JSON file that can be read nor key=value.",
                remedy=f"Give a file with a JSON object, or such as {option} label=category.",
            ) from error
        if not isinstance(document, dict):
            raise InputError(f"{option} {entry} holds no JSON object.", remedy='It begins with "{".')
        found.update(document)
    return found


def _choices(options: argparse.Namespace) -> dict[str, Any]:
    chosen = key_values(options.options, "--options")
    preprocessing = {name: chosen.pop(name) for name in _PREPROCESSING if name in chosen}
    if preprocessing:
        chosen["preprocessing"] = {**chosen.get("preprocessing", {}), **preprocessing}
    return {
        "checkpoints": options.checkpoints,
        "task": options.task,
        "mapping": key_values(options.mapping, "--mapping") or None,
        "learning_rates": _rates(options.learning_rates),
        "architecture": options.architecture,
        "options": chosen,
        "trust_code": options.trust_code,
    }


def _value(key: str, text: str) -> Any:
    if key in _LISTS:
        return text.split(",")
    if key in _ONE_OR_MORE:
        return text.split(",") if "," in text else text
    try:
        return json.loads(text)  # numbers, lists, true and false
    except ValueError:
        return text


def _print_report(report: dict[str, Any]) -> None:
    data, model = report["data"], report["model"]
    for title, facts in (("data", data), ("model", model)):
        said = [facts.get("format") or facts.get("architecture"), facts.get("reason")]
        print(f"{title}: {facts['path']}: {short('; '.join(str(one) for one in said if one), 160)}")
    for split, count in (data["splits"] or {}).items():
        print(f"  {split}: {count:,} examples")
    print_table(
        ("step", "learning rate", "right on a sample", "from"),
        (
            (
                one["step"],
                f"{one['learning_rate']:.3g}",
                "–" if one["accuracy"] is None else f"{one['accuracy']:.0%}",
                short(one["provenance"]),
            )
            for one in report["checkpoints"]
        ),
    )
    for problem in report["problems"]:
        print(f"  {problem['severity']}: {short(problem['where'])}: {problem['message']} {problem['remedy']}")
    print(report["verdict"])


def _write(report: dict[str, Any], path: Path) -> None:
    writers = {
        ".json": lambda: json.dumps(report, ensure_ascii=False, indent=2),
        ".csv": lambda: report_csv(report),
        ".html": lambda: report_html(report),
    }
    if path.suffix.lower() not in writers:
        raise InputError(
            f"A report cannot be written as '{path.suffix}'.", remedy=f"Possible: {', '.join(writers)}."
        )
    try:
        path.write_text(writers[path.suffix.lower()](), "utf-8")
    except OSError as error:
        raise InputError(
            f"The report cannot be written to {path}: {error.strerror}.", remedy="Choose another place."
        ) from error


def _rates(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(
            f"Learning rates '{text}' are not numbers.",
            remedy="Give one per checkpoint, such as 0.1,0.1,0.01.",
        ) from error

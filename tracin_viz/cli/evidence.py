"""``estimate``, ``retrain``, ``self-test``: whether decisions help, how far an audit can be trusted."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from tracin_viz.audit import Workspace
from tracin_viz.audit.evidence import FULL, LAST_LAYER, PLANTS, TESTS, Settings, settings_of
from tracin_viz.cli.commands import print_json, print_table, workspace
from tracin_viz.cli.progress import ProgressLine

_FULL = "train the whole network again (demo audits), not only the last layer"


def add_commands(command: Callable[[str, str, object], argparse.ArgumentParser]) -> None:
    """Does it help? Before retraining, after it, and how far an audit can be trusted."""

    def simulated(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--simulate",
            type=float,
            metavar="PERCENT",
            help="instead of the decisions: an annotator who knows every wrong label looks at these suspects",
        )

    sub = command("estimate", "what the decisions would do to the loss, before retraining", estimate)
    sub.add_argument("name")
    sub.add_argument("--of", default="all", choices=TESTS, help="which test examples")
    sub.add_argument("--class", dest="class_name", metavar="C", help="only test examples of this class")
    sub.add_argument("--most", type=int, default=1000, metavar="N", help="test examples at most")
    simulated(sub)
    sub.add_argument("--job", help=argparse.SUPPRESS)

    sub = command("retrain", "train again with and without the decisions, and compare", retrain)
    sub.add_argument("name")
    sub.add_argument("--full", action="store_true", help=_FULL)
    sub.add_argument("--seeds", type=int, default=5, metavar="N")
    simulated(sub)
    sub.add_argument("--job", help=argparse.SUPPRESS)

    sub = command("self-test", "plant wrong labels in a copy and count how many are found", self_test)
    sub.add_argument("name")
    sub.add_argument("--noise", type=float, default=5.0, metavar="PERCENT")
    sub.add_argument("--full", action="store_true", help=_FULL)
    sub.add_argument("--seeds", type=int, default=5, metavar="N")
    sub.add_argument("--plant", default="confused", choices=PLANTS, help="which wrong class is given")
    sub.add_argument("--job", help=argparse.SUPPRESS)


def estimate(options: argparse.Namespace) -> None:
    """What the decisions would have done to the loss of test examples, to first order."""
    asked = {
        "of": options.of,
        "class_name": options.class_name,
        "most": options.most,
        "simulate": options.simulate,
    }
    _print(_proved("estimate", asked, options), options)


def retrain(options: argparse.Namespace) -> None:
    """Train again with and without the decisions; of simulated ones the estimate too."""
    asked = {
        "how": FULL if options.full else LAST_LAYER,
        "seeds": options.seeds,
        "simulate": options.simulate,
    }
    found = _proved("retrain", asked, options)
    if options.simulate is None or options.job is not None:
        _print(found, options)
        return
    before = _proved("estimate", {"simulate": options.simulate}, options)
    if options.json:
        print_json({**found, "estimate": before})
        return
    _print(found, options)
    _print(before, options)
    _print_agreement(found, before)


def self_test(options: argparse.Namespace) -> None:
    """Plant wrong labels into a copy and count how many are found."""
    asked = {
        "noise": options.noise,
        "how": FULL if options.full else LAST_LAYER,
        "seeds": options.seeds,
        "plant": options.plant,
    }
    _print(_proved("self-test", asked, options), options)


def _proved(kind: str, asked: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    space = workspace(options)
    audit = space.open(options.name)
    job, settings = _job(space, kind, asked, options)
    from tracin_viz.jobs.proving import prove
    from tracin_viz.jobs.worker import working

    with (
        ProgressLine(lambda: _status(audit.evidence_status(kind)), quiet=options.job is not None),
        working(space.jobs, job, finished="The answer is ready.") as reporter,
    ):
        return prove(space.home, audit.name, kind, settings, reporter.update)


def _job(
    space: Workspace, kind: str, asked: dict[str, Any], options: argparse.Namespace
) -> tuple[str, Settings]:
    """The job this process works for, and what is asked: from its row where the app started it."""
    if options.job is not None:
        return options.job, settings_of(kind, space.jobs.get(options.job).settings)
    settings = settings_of(kind, asked)
    return space.begin(options.name, kind, settings.as_dict()), settings


def _status(found: dict[str, Any] | None) -> dict[str, Any]:
    """What the progress line shows, of an evidence job."""
    if found is None:
        return {"units": {"done": 0, "total": 0}, "seconds_left": None, "message": "", "stage": "starting"}
    return {**found, "units": {"done": found["done"], "total": found["total"]}}


def _print(found: dict[str, Any], options: argparse.Namespace) -> None:
    if options.job is not None:
        return
    if options.json:
        print_json({name: value for name, value in found.items() if name != "inputs"})
        return
    {"estimate": _print_estimate, "retrain": _print_retraining, "self-test": _print_self_test}[found["kind"]](
        found
    )


def _print_estimate(found: dict[str, Any]) -> None:
    overall, unit = found["overall"], found["unit"]
    print(
        f"{found['audit']}: first-order estimate, {_whose(found)}, on {found['examples']} of {found['split']}"
    )
    print(f"  the loss of these examples would be {_DIRECTIONS[overall['sign']]}")
    if unit == "loss":
        now = f"which is {overall['loss_now']:.3g} now"
        print(f"  estimated fall {_interval(overall)} in units of the loss, {now}")
        if abs(overall["mean"]) > overall["loss_now"]:
            print("  That is more than the whole loss: only sign and order mean something, not the size.")
    else:
        print(f"  only sign and order mean something: {_UNKNOWN[found['unit_unknown']]}")
    print("  (95 % bootstrap over the test examples; it does not cover the error of the first-order formula)")
    print_table(
        ("class", "effect", "estimated fall", "interval", "loss now"),
        (
            (
                entry["class"],
                _DIRECTIONS[entry["sign"]],
                f"{entry['mean']:+.4g}",
                _ends(entry),
                f"{entry['loss_now']:.3g}",
            )
            for entry in found["classes"]
        ),
    )


def _print_retraining(found: dict[str, Any]) -> None:
    how = "whole network" if found["how"] == FULL else "last layer on stored embeddings"
    print(
        f"{found['audit']}: {how} trained again, {_whose(found)}; {found['seeds']} seeds, "
        f"{found['measure']} on {found['examples']} held-out examples of {found['split']}"
    )
    print_table(
        ("labels", found["measure"], "interval over seeds", "loss"),
        (
            (_ARMS[arm["name"]], f"{arm['mean']:.4f}", _ends(arm, ".4f"), f"{arm['loss']:.4f}")
            for arm in found["arms"]
        ),
    )
    print(f"  improvement by the decisions {_interval(found['gain'])} (95 %, pairs of equal seeds)")
    print(f"  the same {_interval(found['gain_over_examples'])} (95 %, bootstrap over held-out examples)")
    print(f"  fall of the held-out loss {_interval(found['loss_gain'])} (95 %, pairs of equal seeds)")
    print(f"  {_VERDICTS[found['verdict']]}")


def _print_agreement(found: dict[str, Any], before: dict[str, Any]) -> None:
    said, was = before["overall"]["sign"], found["loss_gain"]["sign"]
    if 0 in (said, was):
        print("the estimate and the retraining cannot be compared: one of them has no clear sign")
        return
    word = "has the right sign" if said == was else "has the WRONG sign"
    print(f"the first-order estimate {word}: it said {_DIRECTIONS[said]}, the loss became {_DIRECTIONS[was]}")


def _print_self_test(found: dict[str, Any]) -> None:
    how = "whole network" if found["how"] == FULL else "last layer on stored embeddings"
    print(
        f"{found['audit']}: {found['planted']} of {found['training']} labels changed on purpose "
        f"({found['noise']:g} %, {found['plant']}), {how}, {found['seeds']} repetitions"
    )
    names = list(found["curves"])
    print_table(
        ("looked at", *names, "random"),
        (
            (
                f"top {entry['percent']:g} %",
                *(f"{entry[name]['mean']:.1%} ({_ends(entry[name], '.1%')})" for name in names),
                f"{entry['random']:.1%}",
            )
            for entry in found["at"]
        ),
    )
    print(
        "  share of the planted labels found; 95 % interval over repetitions. Labels that were wrong before"
    )
    print("  rank high too and count as misses, so the figures are rather too low.")


_ARMS = {"given": "as given", "decided": "with the decisions", "true": "all right (known here)"}
_DIRECTIONS = {1: "lower", -1: "higher", 0: "not clearly changed"}
_VERDICTS = {
    1: "The decisions help: both intervals are above zero.",
    -1: "The decisions do harm: both intervals are below zero.",
    0: "Whether the decisions help is not clear: an interval holds zero.",
}
_UNKNOWN = {
    "epochs": "how many examples were seen between checkpoints is not known",
    "optimizer": "which optimizer trained the model is not known",
    "adaptive": "the optimizer was not SGD",
}


def _whose(found: dict[str, Any]) -> str:
    changes = found["changes"]
    what = f"{changes['relabelled']} labels changed, {changes['excluded']} examples left out"
    if found["simulated"] is not None:
        return f"simulated annotator on the top {found['simulated']:g} % suspects ({what})"
    return f"decisions so far ({what})"


def _interval(found: dict[str, Any]) -> str:
    return f"{found['mean']:+.4g} ({_ends(found)})"


def _ends(found: dict[str, Any], form: str = "+.4g") -> str:
    if found["low"] is None:
        return "–"
    return f"{found['low']:{form}} … {found['high']:{form}}"

"""Before and after: what the decisions would do, what they did, and how well planted errors are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracin_viz.report.markup import Html, said, tag
from tracin_viz.report.words import Words, later, number, percent

ARMS = {
    "given": later("labels as given"),
    "decided": later("labels with the decisions"),
    "true": later("all labels right (known here)"),
}
VERDICTS = {
    1: later("The decisions help: both intervals are above zero."),
    -1: later("The decisions do harm: both intervals are below zero."),
    0: later("Whether the decisions help is not clear: an interval holds zero."),
}
ESTIMATES = {
    1: later("The estimate says: the decisions would lower the loss on {count} test examples."),
    -1: later("The estimate says: the decisions would raise the loss on {count} test examples."),
    0: later("The estimate cannot tell whether the loss on {count} test examples would fall."),
}


def effect(report: Mapping[str, Any], words: Words) -> list[Html]:
    """What was measured of the decisions' effect; what was not measured says so."""
    tr = words.tr
    found = report["evidence"]
    parts = [tag("h3", tr("After retraining"))]
    parts += _retraining(found["retraining"], words) if found["retraining"] else [_not_measured(words)]
    parts.append(tag("h3", tr("Before retraining")))
    parts += _estimate(found["estimate"], words) if found["estimate"] else [_not_measured(words)]
    parts.append(tag("h3", tr("Planted errors")))
    parts += _self_test(found["self_test"], words) if found["self_test"] else [_not_measured(words)]
    return parts


def _not_measured(words: Words) -> Html:
    tr = words.tr
    return tag("p", tr("Not measured."), class_="quiet")


def _retraining(found: Mapping[str, Any], words: Words) -> list[Html]:
    tr = words.tr
    accuracy = found["measure"] == "accuracy"

    def value(number_: float | None) -> str:
        return percent(number_, 1) if accuracy else number(number_)

    if found["how"] == "full":
        how = tr(
            "The whole network was trained again with {seeds} seeds and tried on {count} held-out examples."
        )
    else:
        how = tr(
            "The last layer was trained again with {seeds} seeds, on the kept embeddings, and tried on "
            "{count} held-out examples."
        )
    intro = said(how, seeds=str(found["seeds"]), count=f"{found['examples']:,}")
    head = tag(
        "tr",
        tag("th", tr("Trained on"), scope="col"),
        tag("th", tr("Right") if accuracy else found["measure"], scope="col", class_="n"),
        tag("th", tr("95 % interval over seeds"), scope="col", class_="n"),
        tag("th", tr("Loss"), scope="col", class_="n"),
    )
    rows = [
        tag(
            "tr",
            tag("th", tr(ARMS.get(arm["name"], arm["name"])), scope="row"),
            tag("td", value(arm["mean"]), class_="n"),
            tag("td", _ends(arm, value, words), class_="n"),
            tag("td", number(arm["loss"]), class_="n"),
        )
        for arm in found["arms"]
    ]
    gain = found["gain"]
    told = said(
        tr("Gain by the decisions: {gain} (95 % interval {ends}, pairs of equal seeds)."),
        gain=_signed(gain["mean"], accuracy, words),
        ends=_ends(gain, lambda one: _signed(one, accuracy, words), words),
    )
    return [
        tag("p", tag("strong", tr(VERDICTS[found["verdict"]]))),
        tag("p", intro, " ", _changes(found, words)),
        _table(tr("Held-out results by the labels trained on"), head, rows),
        tag("p", told),
        *_older(found, words),
    ]


def _estimate(found: Mapping[str, Any], words: Words) -> list[Html]:
    tr = words.tr
    overall = found["overall"]
    sentence = said(tr(ESTIMATES[overall["sign"]]), count=f"{found['examples']:,}")
    cautious = found["unit"] != "loss" or abs(overall["mean"] or 0.0) > overall["loss_now"]
    if cautious:
        size = tag("p", tr("Only its sign and the order of the decisions mean something, not its size."))
    else:
        size = tag(
            "p",
            said(
                tr("Estimated fall: {fall} (95 % interval {ends}); the loss is {now} now."),
                fall=number(overall["mean"]),
                ends=_ends(overall, number, words),
                now=number(overall["loss_now"]),
            ),
        )
    limit = tr(
        "This is a first-order estimate. The interval covers which test examples were drawn, not the error "
        "of the formula."
    )
    return [tag("p", sentence), size, tag("p", limit, class_="quiet"), *_older(found, words)]


def _self_test(found: Mapping[str, Any], words: Words) -> list[Html]:
    tr = words.tr
    intro = said(
        tr(
            "In a copy of the data {planted} of {training} labels were changed on purpose ({noise} %), "
            "{seeds} times, and the audit was asked for them."
        ),
        planted=f"{found['planted']:,}",
        training=f"{found['training']:,}",
        noise=f"{found['noise']:g}",
        seeds=str(found["seeds"]),
    )
    head = tag(
        "tr",
        tag("th", tr("Looked at"), scope="col", class_="n"),
        tag("th", tr("Found by self-influence"), scope="col", class_="n"),
        tag("th", tr("95 % interval"), scope="col", class_="n"),
        tag("th", tr("Found at random"), scope="col", class_="n"),
    )
    rows = [
        tag(
            "tr",
            tag("td", f"{at['percent']:g} %", class_="n"),
            tag("td", percent(at["self-influence"]["mean"]), class_="n"),
            tag("td", _ends(at["self-influence"], percent, words), class_="n"),
            tag("td", percent(at["random"]), class_="n"),
        )
        for at in found["at"]
    ]
    return [
        tag("p", intro),
        _table(tr("Share of the planted errors found"), head, rows),
        *_older(found, words),
    ]


def _changes(found: Mapping[str, Any], words: Words) -> str:
    trn = words.trn
    changes = found["changes"]
    changed = trn("{n} label was changed", "{n} labels were changed", changes["relabelled"])
    left_out = trn("{n} example was left out", "{n} examples were left out", changes["excluded"])
    return f"{changed}; {left_out}."


def _older(found: Mapping[str, Any], words: Words) -> list[Html]:
    tr = words.tr
    if found.get("current", True):
        return []
    return [tag("p", tr("Decisions or results have changed since this was measured."), class_="quiet")]


def _ends(found: Mapping[str, Any], value: Any, words: Words) -> str:
    tr = words.tr
    if found["low"] is None or found["high"] is None:
        return "–"
    return tr("{low} to {high}", low=value(found["low"]), high=value(found["high"]))


def _signed(value: float | None, accuracy: bool, words: Words) -> str:
    tr = words.tr
    if value is None:
        return "–"
    written = f"{100 * value if accuracy else value:+.3g}".replace("-", "−")
    return tr("{number} points", number=written) if accuracy else written


def _table(caption: str, head: Html, rows: Sequence[Html]) -> Html:
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows))
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)

"""How far the list can be trusted: recovery, reviewed precision, and what the decisions did to the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracin_viz.report import charts
from tracin_viz.report.markup import Html, clean, joined, said, tag
from tracin_viz.report.words import Words, later, number, percent

RANKINGS = {
    "self-influence": later("Self-influence"),
    "aum": later("Logit margin (AUM)"),
    "loss": later("Mean loss"),
    "gradient-norm": later("Gradient norm"),
}


def trust(report: Mapping[str, Any], words: Words) -> list[Html]:
    """Recovery where the truth is known, and the share of wrong labels among what people reviewed."""
    tr = words.tr
    parts = []
    if report["recovery"]:
        parts.append(_recovery(report["recovery"], words))
    review = report["review"]
    for key, title in (("suspects", tr("Suspects that people reviewed")), ("control", tr("Random control"))):
        if review and review[key]["reviewed"]:
            parts += [tag("h3", title), _reviewed(review[key], words)]
    if review and not review["control"]["reviewed"] and review["suspects"]["reviewed"]:
        parts.append(
            tag(
                "p",
                tr(
                    "No random control was reviewed, so this says how often a suspect is wrong, not how many "
                    "labels are wrong in all."
                ),
                class_="quiet",
            )
        )
    if not parts:
        parts.append(
            tag(
                "p",
                tr(
                    "Not measured: no label is known to be wrong beforehand, and nobody has reviewed a "
                    "suspect yet. Until then the list above is a reason to look, no verdict."
                ),
            )
        )
    return parts


def _recovery(found: Mapping[str, Any], words: Words) -> Html:
    tr = words.tr
    share = percent(found["at_20"]["self-influence"])
    names = {name: tr(said_) for name, said_ in RANKINGS.items()}
    alt = tr(
        "Share of the known wrong labels found by share of the examples looked at: {share} within the top "
        "20 %",
        share=share,
    )
    caption = said(
        tr(
            "{planted} of {examples} training labels are known to be wrong. Self-influence finds {share} of "
            "them within its top 20 %; ranking wrong labels above right ones it is right in {auroc} of all "
            "pairs (AUROC)."
        ),
        planted=f"{found['planted']:,}",
        examples=f"{found['examples']:,}",
        share=share,
        auroc=percent(found["auroc"]["self-influence"], 1),
    )
    return joined([tag("p", caption), tag("figure", charts.recovery(found, names, words, alt=alt))])


def _reviewed(found: Mapping[str, Any], words: Words) -> Html:
    tr, trn = words.tr, words.trn
    alt = tr("{share} wrong, interval {low} to {high}", **_interval(found))
    sentence = said(
        tr(
            "{wrong} of {reviewed} reviewed labels were wrong: {share}, with 95 % confidence {low} to "
            "{high} (Wilson)."
        ),
        wrong=f"{found['wrong']:,}",
        reviewed=f"{found['reviewed']:,}",
        **_interval(found),
    )
    undecided = None
    if found["undecided"]:
        undecided = tag(
            "p",
            trn(
                "{n} more was excluded or left for another look.",
                "{n} more were excluded or left for another look.",
                found["undecided"],
            ),
            class_="quiet",
        )
    bar = charts.share_bar(found["share"], found["low"], found["high"], alt=alt)
    return joined([tag("p", sentence), tag("figure", bar), undecided])


def _interval(found: Mapping[str, Any]) -> dict[str, str]:
    return {key: percent(found[key], 1) for key in ("share", "low", "high")}


def suspicion(report: Mapping[str, Any], words: Words) -> list[Html]:
    """The histogram of self-influence."""
    tr, trn = words.tr, words.trn
    found = report["histogram"]
    parts = [
        tag(
            "p",
            tr(
                "Self-influence says how hard an example had to pull the model towards itself. Most "
                "examples need little of it; wrong labels and rare examples need a lot."
            ),
        )
    ]
    if found["counts"]:
        alt = tr("Histogram of self-influence: most examples are low, the top 10 % are marked as suspects")
        parts.append(tag("figure", charts.histogram(found, words, alt=alt)))
    if found["missing"]:
        parts.append(
            tag(
                "p",
                trn(
                    "{n} example could not be measured: its gradient is no finite number.",
                    "{n} examples could not be measured: their gradients are no finite numbers.",
                    found["missing"],
                ),
                class_="quiet",
            )
        )
    return parts


def decisions(report: Mapping[str, Any], words: Words) -> list[Html]:
    """Who decided what, and how often two people agree."""
    tr, trn = words.tr, words.trn
    found = report["decisions"]
    if not found["annotators"]:
        return [tag("p", tr("Nobody has decided anything yet."))]
    actions = (
        ("keep", tr("Kept")),
        ("relabel", tr("Relabelled")),
        ("exclude", tr("Excluded")),
        ("review", tr("Needs review")),
        ("total", tr("In all")),
    )
    head = tag(
        "tr",
        tag("th", tr("Annotator"), scope="col"),
        *(tag("th", title, scope="col", class_="n") for _, title in actions),
    )
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", clean(one["name"], longest=80)), scope="row"),
            *(tag("td", f"{one[key]:,}", class_="n") for key, _ in actions),
        )
        for one in found["annotators"]
    ]
    caption = tr("Decisions that hold, by annotator")
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows))
    parts = [tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)]
    if found["both"]:
        parts.append(
            tag(
                "p",
                said(
                    tr(
                        "{both} examples were decided by several people; they agree on {agree} of them "
                        "({share})."
                    ),
                    both=f"{found['both']:,}",
                    agree=f"{found['agree']:,}",
                    share=percent(found["agree"] / found["both"]),
                ),
            )
        )
        kappas = [
            tag("li", said(tr("{one} and {other}: kappa {kappa} on {count} examples"), **_pair(pair)))
            for pair in found["pairs"][:10]
            if pair["kappa"] is not None
        ]
        if found["fleiss"] is not None:
            kappas.append(
                tag("li", said(tr("All together: Fleiss' kappa {kappa}"), kappa=number(found["fleiss"])))
            )
        if kappas:
            parts.append(tag("ul", *kappas, class_="points"))
            parts.append(
                tag("p", tr("Kappa: 1 = always the same, 0 = as often as by chance."), class_="quiet")
            )
    if found["undone"]:
        undone = trn("{n} decision was taken back.", "{n} decisions were taken back.", found["undone"])
        parts.append(tag("p", undone, class_="quiet"))
    return parts


def _pair(pair: Mapping[str, Any]) -> dict[str, str]:
    one, other = pair["names"]
    return {"one": one, "other": other, "kappa": number(pair["kappa"]), "count": f"{pair['shared']:,}"}

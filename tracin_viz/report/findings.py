"""The findings themselves: suspects as cards, clusters as rows, one prediction with what taught it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracin_viz.report.charts import mix_bar
from tracin_viz.report.markup import Html, clean, joined, said, tag
from tracin_viz.report.words import Words, later, number, percent

ACTIONS = {
    "keep": later("kept as it is"),
    "relabel": later("relabelled to {label}"),
    "exclude": later("excluded"),
    "review": later("needs another look"),
}


def top(report: Mapping[str, Any], words: Words) -> list[Html | None]:
    """The most suspicious training examples as cards."""
    tr = words.tr
    found = report["findings"]
    texts = report["task"] != "image"
    intro = tr(
        "The most suspicious first: the label the data give, and what the model suggests instead. A rare "
        "but right example can stand here too."
    )
    cards = [_card(one, words, target=report["target"]) for one in found]
    told = any(one["neighbours"] for one in found)
    signs = tag(
        "p",
        tr(
            "▲ for and ▼ against: labels of the training examples that pushed hardest towards the given "
            "label and away from it, with their number."
        ),
        class_="quiet",
    )
    return [
        tag("p", intro),
        signs if told else None,
        tag("ul", *cards, class_="cards texts" if texts else "cards", role="list"),
    ]


def _card(one: Mapping[str, Any], words: Words, *, target: str) -> Html:
    tr = words.tr
    given, suggested = tag("bdi", clean(one["label"], longest=80)), one["suggested"]
    if suggested and target == "class":
        other = tag("bdi", clean(suggested, longest=80))
        change = said(tr("{given} → {suggested}?"), given=given, suggested=other)
    else:
        change = said(tr("Labelled {given}"), given=given)
    return tag(
        "li",
        _content(
            one["content"], tr("Training example {id}, labelled {label}", id=one["id"], label=one["label"])
        ),
        tag(
            "div",
            tag("p", change, class_="change"),
            tag("ul", *(tag("li", reason) for reason in _reasons(one, words, target)), role="list"),
            _decision(one["decision"], words),
            class_="body",
        ),
        class_="card",
    )


def _reasons(one: Mapping[str, Any], words: Words, target: str) -> list[Html]:
    tr = words.tr
    found = []
    if one["percentile"] is not None:
        # 99.97 must not read as "100.0 % of the training set", which would include the example itself.
        share = f"{min(one['percentile'], 99.9):.1f}\u00a0%"
        found.append(
            joined(
                [
                    tag("span", "⚑ ", class_="mark suspect", aria_hidden="true"),
                    tr("more suspicious than {share}", share=share),
                ]
            )
        )
    if one["suggested"] and target == "class":
        found.append(
            said(
                tr("the model leans to {label} ({share})"),
                label=one["suggested"],
                share=percent(one["confidence"]),
            )
        )
    if target == "class" and one["predicted"] == one["label"]:
        found.append(said(tr("in the end the model agrees with the label")))
    for side, sign, words_ in (
        ("proponents", "▲", tr("for: {labels}")),
        ("opponents", "▼", tr("against: {labels}")),
    ):
        if one["neighbours"] and one["neighbours"][side]:
            labels = ", ".join(f"{label} ({count})" for label, count in one["neighbours"][side][:3])
            mark = tag(
                "span", f"{sign} ", class_="mark for" if sign == "▲" else "mark against", aria_hidden="true"
            )
            found.append(joined([mark, said(words_, labels=labels)]))
    if one["planted"]:
        found.append(tag("strong", tr("known to be wrong")))
    return found


def _decision(now: Mapping[str, Any] | None, words: Words) -> Html | None:
    tr = words.tr
    if now is None:
        return None
    action = said(tr(ACTIONS[now["action"]]), label=now["label"] or "")
    by = said(tr("by {name}"), name=now["by"])
    line = tag("p", "✓ ", action, " · ", by, class_="mark decided")
    note = tag("p", tag("bdi", clean(now["note"], longest=400)), class_="note") if now["note"] else None
    return joined([line, note])


def _content(content: Mapping[str, Any], alt: str) -> Html:
    if "picture" in content:
        return tag("img", src=content["picture"], alt=clean(alt, longest=200))
    return tag("p", content["text"], class_="text", dir="auto")


def clusters(report: Mapping[str, Any], words: Words) -> list[Html | None]:
    """One row per cluster, those with most suspects first."""
    tr, trn = words.tr, words.trn
    found = report["clusters"]
    if not found:
        return [tag("p", tr("Not measured: the map of this audit is not drawn yet."))]
    intro = trn(
        "Examples that push the model in the same direction while it trains form {n} group. "
        "Those with the largest share of suspects come first.",
        "Examples that push the model in the same direction while it trains form {n} groups. "
        "Those with the largest share of suspects come first.",
        found["total"],
    )
    rows = [part for place, row in enumerate(found["rows"], 1) for part in _cluster(place, row, words)]
    outside = trn("{n} example belongs to no group.", "{n} examples belong to no group.", found["outside"])
    return [tag("p", intro), *rows, tag("p", outside, class_="quiet")]


def _cluster(place: int, row: Mapping[str, Any], words: Words) -> list[Html | None]:
    tr, trn = words.tr, words.trn
    mix = ", ".join(f"{clean(name, longest=60)} ({count:,})" for name, count in row["classes"][:4])
    more = len(row["classes"]) - 4
    size = trn("{n} example", "{n} examples", row["size"])
    line = [size, " · ", tag("bdi", mix), trn(" and {n} more", " and {n} more", more) if more > 0 else None]
    if row["suspect_share"]:
        share = tr("{share} suspects", share=percent(row["suspect_share"]))
        line += [" · ", tag("span", f"⚑ {share}", class_="mark suspect")]
    shown = [
        tag("li", tag("img", src=one["picture"], alt=one["id"]))
        if "picture" in one
        else tag("li", tag("span", clean(one["text"], longest=120), class_="line", dir="auto"))
        for one in row["exemplars"]
    ]
    # The façade names clusters in English; the class mix below says the same in every language.
    bar = None
    if len(row["classes"]) > 1:
        bar = mix_bar(row["classes"], alt=tr("Class mix of this group: {mix}", mix=clean(mix, longest=200)))
    title = said(tr("Group {place}: {name}"), place=str(place), name=_name(row, words))
    return [
        tag("h3", title),
        tag("p", *line, class_="quiet"),
        bar,
        tag("ul", *shown, class_="strip", role="list"),
    ]


def _name(row: Mapping[str, Any], words: Words) -> str:
    if words.language == "en" or not row["classes"]:
        return str(row["name"])
    return str(row["classes"][0][0])


def explained(report: Mapping[str, Any], words: Words) -> list[Html]:
    """One prediction and the training examples that pushed it, for and against."""
    tr = words.tr
    found = report["influence"]
    if not found:
        return [tag("p", tr("Not measured: the exact scores could not be computed for this report."))]
    texts = "text" in found["content"]
    label = clean(found["label"], longest=80)
    if found["wrong"]:
        sentence = tr("The model says {predicted} ({sure}); the label is {label}.")
    else:
        sentence = tr("The model says {predicted} ({sure}), as the label does.")
    saying = said(sentence, predicted=found["predicted"], label=label, sure=percent(found["confidence"]))
    alt = tr("Example {id}, labelled {label}", id=found["id"], label=label)
    picture = (
        tag("p", found["content"]["text"], class_="quote", dir="auto")
        if texts
        else tag("img", src=found["content"]["picture"], alt=alt)
    )
    told = tag("div", tag("p", saying, class_="lead"), tag("p", tag("bdi", found["id"]), class_="quiet"))
    intro = tr(
        "Which training examples taught it that? Proponents lowered the loss of this example's label when "
        "the model trained on them, opponents raised it. Scores are exact TracIn sums over the checkpoints; "
        "they have no unit."
    )
    return [
        tag("div", picture, told, class_="query texts" if texts else "query"),
        tag("p", intro),
        tag(
            "div",
            _side("▲", tr("For"), "for", found["proponents"], words),
            _side("▼", tr("Against"), "against", found["opponents"], words),
            class_="sides",
        ),
    ]


def _side(sign: str, title: str, look: str, rows: Sequence[Mapping[str, Any]], words: Words) -> Html:
    drawn = [tag("li", *_row(row, words)) for row in rows]
    heading = tag("h3", tag("span", f"{sign} ", class_=f"mark {look}", aria_hidden="true"), title)
    return tag("div", heading, tag("ul", *drawn, class_="rows", role="list"))


def _row(row: Mapping[str, Any], words: Words) -> list[Html]:
    tr = words.tr
    label = tag("bdi", clean(row["label"], longest=80))
    line = said(tr("labelled {label}, score {score}"), label=label, score=_signed(row["score"]))
    alt = tr("Training example {id}, labelled {label}", id=row["id"], label=clean(row["label"], longest=80))
    if "picture" in row["content"]:
        picture = tag("img", src=row["content"]["picture"], alt=alt)
        return [picture, tag("div", tag("p", line), class_="words")]
    text = tag("p", clean(row["content"]["text"], longest=240), dir="auto")
    return [tag("div", text, tag("p", line, class_="quiet"), class_="words")]


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value)}".replace("-", "−")

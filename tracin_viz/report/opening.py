"""The report's beginning: what was found, in one sentence and four numbers, and what was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracin_viz.report.markup import Html, clean, joined, said, tag
from tracin_viz.report.words import Words, day, number, percent

#: Classes that get a line of their own.
CLASSES = 12


def header(report: Mapping[str, Any], words: Words) -> Html:
    """Title, headline in plain words, and the numbers that matter most."""
    tr = words.tr
    reviewed = report["decisions"]["annotators"]
    badge = (
        tag("p", tr("Reviewed by people"), class_="badge good")
        if reviewed
        else tag("p", tr("Not reviewed: nobody has decided about these labels yet"), class_="badge")
    )
    made = said(tr("Training-data audit · {day}"), day=day(report["made"]))
    return tag(
        "header",
        tag("p", made, class_="eyebrow"),
        tag("h1", tag("bdi", report["title"])),
        badge,
        tag("p", headline(report, words), class_="lead"),
        _tiles(report, words),
    )


def headline(report: Mapping[str, Any], words: Words) -> Html:
    """The finding in one or two sentences, from the strongest evidence there is."""
    tr = words.tr
    recovery, review = report["recovery"], report["review"]
    if review and review["suspects"]["reviewed"]:
        found = review["suspects"]
        return said(
            tr(
                "Of {reviewed} suspicious labels that people looked at, {wrong} were wrong: {share} "
                "(95 % interval {low} to {high})."
            ),
            reviewed=f"{found['reviewed']:,}",
            wrong=f"{found['wrong']:,}",
            share=percent(found["share"]),
            low=percent(found["low"]),
            high=percent(found["high"]),
        )
    if recovery:
        return said(
            tr(
                "Looking at the most suspicious fifth of the training examples finds {share} of the "
                "{planted} labels that are known to be wrong. Looking at random would find 20 %."
            ),
            share=percent(recovery["at_20"]["self-influence"]),
            planted=f"{recovery['planted']:,}",
        )
    total = report["data"]["splits"].get("train", 0)
    return said(
        tr("{total} training labels were looked at; the most suspicious are listed for people to judge."),
        total=f"{total:,}",
    )


def _tiles(report: Mapping[str, Any], words: Words) -> Html:
    tr = words.tr
    model, review, recovery = report["model"], report["review"], report["recovery"]
    tiles = [(f"{report['data']['splits'].get('train', 0):,}", tr("training examples"))]
    if model["wrong"] is not None and model["queries"]:
        right = percent(1 - model["wrong"] / model["queries"], 1)
        tiles.append(
            (right, tr("of {count} held-out examples predicted right", count=f"{model['queries']:,}"))
        )
    if recovery:
        tiles.append(
            (percent(recovery["at_20"]["self-influence"]), tr("of known wrong labels in the top fifth"))
        )
    decided = sum(one["total"] for one in report["decisions"]["annotators"])
    tiles.append((f"{decided:,}", tr("decisions by people")))
    if review and review["all"]["wrong"]:
        tiles.append((f"{review['all']['wrong']:,}", tr("labels corrected")))
    return tag(
        "dl", *(tag("div", tag("dt", said_), tag("dd", value)) for value, said_ in tiles[:4]), class_="tiles"
    )


def facts(report: Mapping[str, Any], words: Words) -> list[Html]:
    """Data and model: sizes, classes, what was odd in the files, checkpoints with their rates."""
    tr = words.tr
    data, model = report["data"], report["model"]
    splits = " · ".join(
        f"{count:,} {name}" for name, count in sorted(data["splits"].items(), key=_train_first)
    )
    pairs: list[tuple[str, object]] = [(tr("Examples"), tag("bdi", splits))]
    if data["classes"]:
        pairs.append((tr("Classes"), f"{len(data['classes']):,}"))
    pairs.append((tr("Odd in the files"), _problems(data["problems"], words)))
    for name, value in (
        (tr("Where the data come from"), data["origin"]),
        (tr("Licence"), data["licence"]),
        (tr("Model"), model["words"] or model["architecture"]),
        (tr("Optimizer"), model["optimizer"]),
    ):
        if value:
            pairs.append((name, tag("bdi", words.below(str(value)))))
    if model["parameters"]:
        pairs.append((tr("Parameters"), f"{int(model['parameters']):,}"))
    written = [joined([tag("dt", name), tag("dd", value)]) for name, value in pairs]
    parts = [tag("dl", *written, class_="facts")]
    if data["classes"]:
        parts.append(_classes(data["classes"], words))
    parts.append(_checkpoints(report["checkpoints"], words))
    return parts


def _train_first(pair: tuple[str, int]) -> bool:
    return pair[0] != "train"


def _problems(kinds: Mapping[str, int], words: Words) -> Html | str:
    tr = words.tr
    if not kinds:
        return tr("Nothing was noted when the files were read (unreadable files, examples that occur twice).")
    return joined(
        [tag("bdi", " · ".join(f"{words.below(kind)}: {count:,}" for kind, count in kinds.items()))]
    )


def _classes(classes: list[tuple[str, int]], words: Words) -> Html:
    tr, trn = words.tr, words.trn
    total = sum(count for _, count in classes) or 1
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", clean(name, longest=80)), scope="row"),
            _n(f"{count:,}"),
            _n(percent(count / total, 1)),
        )
        for name, count in classes[:CLASSES]
    ]
    head = tag("tr", _head(tr("Class")), _head(tr("Training examples"), "n"), _head(tr("Share"), "n"))
    more = len(classes) - CLASSES
    note = (
        tag("p", trn("and {n} more class", "and {n} more classes", more), class_="quiet")
        if more > 0
        else None
    )
    return joined(
        [
            tag("h3", tr("Classes by the labels given")),
            _table(tr("Largest classes first"), head, rows),
            note,
        ]
    )


def _checkpoints(found: list[dict[str, Any]], words: Words) -> Html:
    tr = words.tr
    head = tag(
        "tr",
        _head(tr("Step"), "n"),
        _head(tr("Learning rate"), "n"),
        _head(tr("Training loss"), "n"),
        _head(tr("Counts")),
        _head(tr("Where the rate comes from")),
    )
    rows = [
        tag(
            "tr",
            _n(f"{one['step']:,}"),
            _n(number(one["learning_rate"])),
            _n(number(one["train_loss"])),
            tag("td", tr("yes") if one["used"] else tr("no")),
            tag("td", tag("bdi", words.below(one["provenance"]))),
            class_=None if one["used"] else "off",
        )
        for one in found
    ]
    caption = tr("Each checkpoint counts by the mean of the learning rates used since the one before.")
    return joined([tag("h3", tr("Checkpoints of the training")), _table(caption, head, rows)])


def _head(words: str, class_: str | None = None) -> Html:
    return tag("th", words, scope="col", class_=class_)


def _n(value: str) -> Html:
    return tag("td", value, class_="n")


def _table(caption: str, head: Html, rows: list[Html]) -> Html:
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows))
    # It scrolls by itself on a phone; a keyboard must reach it for that.
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _class_cell(name: object) -> Html:
    return tag("th", tag("bdi", clean(name, longest=80)), scope="row")

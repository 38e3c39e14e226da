"""The report's end: what was done, what it cannot say, and how to make it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tracin_viz.report.markup import Html, said, tag
from tracin_viz.report.words import Words


def method(report: Mapping[str, Any], words: Words) -> list[Html]:
    """Method and limits in plain words."""
    tr = words.tr
    source = tag(
        "cite",
        "Pruthi, Liu, Kale, Sundararajan: Estimating Training Data Influence by Tracing Gradient Descent. "
        "NeurIPS 2020, arXiv 2002.08484",
    )
    used = sum(one["used"] for one in report["checkpoints"])
    how = [
        said(
            tr(
                "TracIn follows gradient descent: a training example counts as a proponent of a prediction "
                "where one training step on it would have lowered the loss of that prediction, and as an "
                "opponent where it would have raised it ({source})."
            ),
            source=source,
        ),
        said(
            tr(
                "An influence score is the sum over {count} checkpoints of learning rate × the product of "
                "the two gradients. Self-influence is the score of an example with itself."
            ),
            count=f"{used:,}",
        ),
        said(
            tr(
                "Suggested labels are the class the model preferred to the given one, averaged over the "
                "checkpoints. They are the model's opinion, and the model learned from these same labels."
            )
        ),
    ]
    limits = [
        tr("High self-influence is a reason to look, no proof: rare or hard but right examples have it too."),
        tr("Scores have no unit. Compare them within one list, not between lists or audits."),
        tr(
            "A wrong label that many others repeat in the same way looks normal to the model and is not "
            "found."
        ),
        tr("The sums describe plain gradient descent; with momentum or Adam they are an approximation."),
        tr(
            "Shares of wrong labels come from reviewed examples only; without a random control they "
            "describe the suspects."
        ),
    ]
    return [
        *(tag("p", one) for one in how),
        tag("h3", tr("What this report cannot say")),
        tag("ul", *(tag("li", one) for one in limits), class_="points"),
    ]


def reproduce(report: Mapping[str, Any], words: Words) -> list[Html]:
    """Versions, settings and commands."""
    tr = words.tr
    found = report["settings"]
    versions = {"tracin-viz": report["version"], **found["versions"]}
    pairs = [
        (tr("Audit"), report["audit"]),
        (tr("Checkpoints used (steps)"), ", ".join(f"{step:,}" for step in found["steps"])),
        (
            tr("Settings of the run"),
            json.dumps(found["run"], ensure_ascii=False).strip("{}").replace('"', ""),
        ),
        (tr("Versions"), ", ".join(f"{name} {version}" for name, version in versions.items())),
        (tr("Fingerprint of the audit"), found["record"]),
        (tr("Fingerprint of the results"), found["map"]),
    ]
    written = [part for name, value in pairs for part in (tag("dt", name), tag("dd", tag("bdi", value)))]
    return [
        tag("dl", *written, class_="facts"),
        tag("h3", tr("Commands")),
        tag("pre", tag("code", "\n".join(found["commands"]))),
    ]

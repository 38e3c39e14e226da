"""What a report shows of an audit: suspects, clusters and one prediction, with their pictures or texts."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracin_viz.errors import JobError, NotComputedError
from tracin_viz.report.options import SMALL, ReportOptions

if TYPE_CHECKING:
    from tracin_viz.audit.audit import Audit

Content = dict[str, Any]
#: Called with the name of the present part, how many of its steps are done, and how many it has.
Progress = Callable[[str, int, int], None]

#: Proponents and opponents whose labels are told of a finding, and shown of the explained prediction.
NEIGHBOURS, EXPLAINED = 10, 5
#: Typical examples of a cluster in its row.
EXEMPLARS = 8
#: Characters of a text that are shown; the rest becomes "…".
LONGEST = 600


@dataclass(frozen=True)
class Making:
    """A report in the making.

    Attributes:
        audit: What it is about.
        wanted: What shall be in it.
        tell: Told how far it is.
        session: Its own towards the query process: two reports at once must not cancel each other.
    """

    audit: Audit
    wanted: ReportOptions
    tell: Progress
    session: str


def content(audit: Audit, identity: str, source: str, pictures: int) -> Content:
    """The example itself: a picture as a data URI, or its text."""
    if audit.task != "image":
        return {"text": source[:LONGEST] + ("…" if len(source) > LONGEST else "")}
    split, _, row = identity.rpartition(":")
    webp = audit.thumbnail(split, int(row), pictures)
    return {"picture": "data:image/webp;base64," + base64.b64encode(webp).decode("ascii"), "source": source}


def findings(making: Making, rows: list[dict[str, Any]]) -> list[Any]:
    """The suspects with content, neighbours and decision; ``rows`` of the suspects document."""
    audit, wanted = making.audit, making.wanted
    decided = audit.decisions()
    found = []
    for place, row in enumerate(rows):
        making.tell("findings", place, len(rows))
        now = decided.get(row["id"])
        found.append(
            {
                **{
                    key: row[key] for key in ("id", "label", "suggested", "confidence", "percentile", "score")
                },
                "planted": row.get("planted"),
                "predicted": str(audit.examples("train")["predicted"].iloc[row["row"]]),
                "content": content(audit, row["id"], row["source"], wanted.pictures),
                "neighbours": _neighbours(making, row["id"]) if place < wanted.neighbours else None,
                "decision": None
                if now is None
                else {
                    "action": now.action,
                    "label": now.label,
                    "by": now.event.annotator,
                    "note": now.event.note,
                },
            }
        )
    return found


def _neighbours(making: Making, identity: str) -> dict[str, list[tuple[str, int]]] | None:
    """How the strongest proponents and opponents of an example are labelled; itself is none of them."""
    try:
        asked = making.audit.influence(query=identity, top=NEIGHBOURS + 1, session=making.session)
    except JobError:
        return None  # no query process here: the report says that it was not measured
    return {side: _labels(asked[side], identity) for side in ("proponents", "opponents")}


def _labels(rows: list[dict[str, Any]], without: str) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for row in [one for one in rows if one["id"] != without][:NEIGHBOURS]:
        counts[str(row["label"])] = counts.get(str(row["label"]), 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])


def clusters(making: Making) -> dict[str, Any] | None:
    """Rows of the clusters with most suspects; ``None`` where there is no map yet."""
    audit, wanted = making.audit, making.wanted
    if not audit.ready().map or not wanted.clusters:
        return None
    making.tell("clusters", 0, wanted.clusters)
    found = audit.grouping()
    sources = audit.examples("train")["source"]
    rows = [
        {
            "name": one.name,
            "size": one.size,
            "classes": list(one.classes.items()),
            "suspect_share": one.suspect_share,
            "exemplars": [
                {"id": f"train:{row}", **content(audit, f"train:{row}", sources.iloc[row], SMALL)}
                for row in one.exemplars[:EXEMPLARS]
            ],
        }
        for one in found.summaries[: wanted.clusters]
    ]
    return {"rows": rows, "total": len(found.summaries), "outside": int((found.clusters < 0).sum())}


def explained(making: Making) -> dict[str, Any] | None:
    """A prediction with the training examples for and against it; ``None`` where it cannot be asked."""
    audit, wanted = making.audit, making.wanted
    identity = (wanted.query or _surest_error(audit)) if wanted.explained else ""
    if not identity:
        return None
    making.tell("influence", 0, 1)
    try:
        found = audit.influence(query=identity, top=EXPLAINED, session=making.session)
    except (JobError, NotComputedError):
        if wanted.query:
            raise
        return None
    query = found["query"]

    def entry(row: dict[str, Any]) -> dict[str, Any]:
        shown = content(audit, row["id"], row["source"], SMALL)
        return {**{key: row[key] for key in ("id", "label", "predicted", "score")}, "content": shown}

    return {
        **{key: query[key] for key in ("id", "label", "predicted", "confidence")},
        "wrong": query["label"] != query["predicted"],
        "content": content(audit, query["id"], query["source"], wanted.pictures),
        "exact": found["exact"],
        "target": found["target"],
        "proponents": [entry(row) for row in found["proponents"]],
        "opponents": [entry(row) for row in found["opponents"]],
    }


def _surest_error(audit: Audit) -> str:
    """The wrong prediction that the model is surest of, else the prediction it is least sure of."""
    queries = audit.examples(audit.query_split)
    if not len(queries):
        return ""
    wrong = queries[queries["wrong"]]
    if len(wrong):
        order = wrong["loss" if audit.target == "number" else "confidence"]
        return str(wrong["id"].loc[order.idxmax()])
    return str(queries["id"].loc[queries["loss"].idxmax()])

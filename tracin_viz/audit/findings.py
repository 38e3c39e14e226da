"""Documents about the training split: suspects, recovery of known wrong labels, clusters (DESIGN §9)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import disagrees, given_words, suggestion_words
from tracin_viz.errors import NotFoundError
from tracin_viz.explore import recovery, suspects
from tracin_viz.explore.clusters import Clustering, describe
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.store.registry import AuditRecord

#: From this percentile of self-influence on, an example counts as a suspect in a cluster's share.
SUSPECT_PERCENTILE = 90.0


def class_index(record: AuditRecord, name: str) -> int:
    """Place of class ``name`` among the audit's classes.

    Raises:
        NotFoundError: There is no such class; the message lists those that exist.
    """
    if name not in record.classes:
        raise NotFoundError(
            f"Audit '{record.name}' has no class '{name}'.",
            remedy=f"Its classes: {', '.join(record.classes)}.",
        )
    return record.classes.index(name)


def suspects_document(
    record: AuditRecord, results: Results, ranking: str, class_name: str | None, top: int
) -> dict[str, Any]:
    """The ``suspects`` document: training examples by falling suspicion.

    Args:
        record: The audit.
        results: Its results.
        ranking: A key of ``explore.suspects.RANKINGS``.
        class_name: Only examples with this given label.
        top: How many at most.
    """
    scores = results.suspect_scores(ranking)  # (n,)
    percentiles = suspects.percentiles(scores)
    measured = results.measured("train")
    rows = results.dataset().splits["train"]
    labels = np.asarray(rows.labels)
    suggested, confidence = suspects.suggestions(labels, measured["other"], measured["other_probability"])
    order = suspects.order(scores)
    if class_name is not None:
        order = order[labels[order] == class_index(record, class_name)]
    truth = results.truth()
    dataset, given = results.dataset(), given_words(results.dataset(), "train")
    wrong = disagrees(record.target, labels, measured["predicted"], measured["value"]).sum(axis=0)
    found = []
    for row in order[: max(0, top)].tolist():
        other = suggestion_words(dataset, row, int(suggested[row]), float(measured["value"][-1, row]))
        evidence = suspects.Evidence(
            given=str(given[row]),
            suggested=other,
            confidence=float(confidence[row]),
            percentile=float(percentiles[row]),
            wrong=int(wrong[row]),
            # A number is never simply right or wrong, so nothing is said about how often.
            checkpoints=0 if record.target == "number" else len(measured["predicted"]),
        )
        entry: dict[str, Any] = {
            "id": f"train:{row}",
            "split": "train",
            "row": row,
            "source": rows.sources[row],
            "label": evidence.given,
            "suggested": other,
            "confidence": evidence.confidence,
            "score": _number(scores[row]),
            "percentile": _number(percentiles[row]),
            "reasons": suspects.reasons(evidence),
        }
        if truth is not None:
            entry["planted"] = row in truth
        found.append(entry)
    document: dict[str, Any] = {
        "audit": record.name,
        "ranking": ranking,
        "higher": suspects.DIRECTION,
        "suspects": found,
    }
    compared = recovery_document(results)
    if compared is not None:
        document["recovery"] = compared
    return document


def recovery_document(results: Results) -> dict[str, Any] | None:
    """Recovery of the known wrong labels by every ranking; ``None`` where none are known."""
    truth = results.truth()
    if not truth:
        return None
    return results.kept_value("recovery", lambda: _recovery(results, truth))


def _recovery(results: Results, truth: dict[int, str]) -> dict[str, Any]:
    rankings = {name: results.suspect_scores(name) for name in suspects.RANKINGS}
    planted = np.zeros(len(rankings["self-influence"]), dtype=bool)
    planted[list(truth)] = True
    return recovery.compare(rankings, planted)


def clusters_document(
    record: AuditRecord, results: Results, within_class: str | None, client: QueryClient
) -> dict[str, Any]:
    """The ``clusters`` document, of all training examples or of those with one given label.

    Within a class the examples keep their places on the map and are clustered anew among themselves, in the
    query process, because HDBSCAN is never loaded by a page (DESIGN §4).
    """
    table = results.map()
    labels = np.asarray(results.dataset().splits["train"].labels)
    rows = np.arange(len(labels))
    coordinates = table[["x", "y"]].to_numpy(dtype=np.float32)  # (n, 2)
    clustering = Clustering(table["cluster"].to_numpy(), table["membership"].to_numpy(), coordinates)
    if within_class is not None:
        rows = np.flatnonzero(labels == class_index(record, within_class))
        coordinates = np.ascontiguousarray(coordinates[rows])
        _, (found, membership) = client.ask("cluster", {}, [coordinates])
        clustering = Clustering(found, membership, coordinates)
    percentiles = suspects.percentiles(results.suspect_scores("self-influence"))[rows]
    summaries = describe(
        clustering,
        classes=record.classes,
        given=labels[rows],
        suspects=percentiles >= SUSPECT_PERCENTILE,
        predicted=results.measured("train")["predicted"][-1][rows],
    )
    return {
        "audit": record.name,
        "within_class": within_class,
        "suspects_are": f"the {100 - SUSPECT_PERCENTILE:.0f} % with the highest self-influence",
        "clusters": [
            {
                "id": summary.id,
                "name": summary.name,
                "size": summary.size,
                "classes": summary.classes,
                "suspect_share": summary.suspect_share,
                "exemplars": [f"train:{rows[place]}" for place in summary.exemplars],
            }
            for summary in summaries
        ],
        "noise": int((clustering.labels < 0).sum()),
        "examples": [
            {"id": f"train:{row}", "cluster": int(cluster), "x": _number(x), "y": _number(y)}
            for row, cluster, (x, y) in zip(rows.tolist(), clustering.labels, coordinates, strict=True)
        ],
    }


def _number(value: Any) -> float | None:
    # JSON has no NaN; a missing number is null there and in the page.
    return float(value) if np.isfinite(value) else None

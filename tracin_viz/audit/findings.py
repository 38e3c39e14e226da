"""Documents about the training split: suspects, and recovery of known wrong labels (DESIGN §9)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import disagrees, given_words, suggestion_words
from tracin_viz.errors import NotFoundError
from tracin_viz.explore import recovery, suspects
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


def _number(value: Any) -> float | None:
    # JSON has no NaN; a missing number is null there and in the page.
    return float(value) if np.isfinite(value) else None

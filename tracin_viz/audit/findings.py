"""Documents about the training split: suspects, and recovery of known wrong labels (DESIGN §9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.audit import witnesses
from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import disagrees, given_words, suggestion_words
from tracin_viz.errors import NotFoundError
from tracin_viz.explore import recovery, suspects
from tracin_viz.explore.rarity import SIGNS
from tracin_viz.explore.reasons import Evidence, reasons, sentences
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
    record: AuditRecord,
    results: Results,
    ranking: str,
    class_name: str | None,
    top: int,
    among: npt.NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """The ``suspects`` document: training examples by falling suspicion.

    Args:
        record: The audit.
        results: Its results.
        ranking: A key of ``explore.suspects.RANKINGS``.
        class_name: Only examples with this given label.
        top: How many at most.
        among: Only these rows of the training split.
    """
    order = suspects.order(results.suspect_scores(ranking))
    if among is not None:
        order = order[np.isin(order, among)]
    if class_name is not None:
        labels = np.asarray(results.dataset().splits["train"].labels)
        order = order[labels[order] == class_index(record, class_name)]
    found = suspect_entries(record, results, ranking, order[: max(0, top)].tolist())
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


def suspect_entries(
    record: AuditRecord, results: Results, ranking: str, rows: Sequence[int]
) -> list[dict[str, Any]]:
    """What is said of these training examples in the ``suspects`` document, in the order given.

    Args:
        record: The audit.
        results: Its results.
        ranking: A key of ``explore.suspects.RANKINGS``; score and percentile are of it.
        rows: Rows of the training split.
    """
    facts = results.kept_value(f"suspect facts {ranking}", lambda: _facts(record, results, ranking))
    known, votes = witnesses.witnesses(record, results), witnesses.votes(results)
    measured, dataset, truth = results.measured("train"), results.dataset(), results.truth()
    sources, given = dataset.splits["train"].sources, given_words(dataset, "train", rows)
    found = []
    for label, row in zip(given.tolist(), rows, strict=True):
        other = suggestion_words(dataset, row, int(facts.suggested[row]), float(measured["value"][-1, row]))
        evidence = Evidence(
            given=str(label),
            suggested=other,
            confidence=float(facts.confidence[row]),
            percentile=float(facts.percentiles[row]),
            wrong=int(facts.wrong[row]),
            # A number is never simply right or wrong, so nothing is said about how often.
            checkpoints=0 if record.target == "number" else len(measured["predicted"]),
            votes=int(votes[row]),
            rankings=len(suspects.SINGLE),
            sign=None if known is None else SIGNS[known.signs[row]],
            neighbours=float("nan") if known is None else float(known.agreement[row]),
        )
        why = reasons(evidence)
        entry: dict[str, Any] = {
            "id": f"train:{row}",
            "split": "train",
            "row": row,
            "source": sources[row],
            "label": evidence.given,
            "suggested": other,
            "confidence": evidence.confidence,
            "score": _number(facts.scores[row]),
            "percentile": _number(facts.percentiles[row]),
            "reasons": sentences(why),
            "reason_codes": [{"code": one.code, "values": one.values} for one in why],
            "votes": evidence.votes,
            "sign": evidence.sign,
            "neighbours": _number(evidence.neighbours),
        }
        if truth is not None:
            entry["planted"] = row in truth
        found.append(entry)
    return found


@dataclass(frozen=True)
class _Facts:
    """Arrays (n,) over the training examples; made once per ranking, so that a few rows cost little."""

    scores: npt.NDArray[np.float64]
    percentiles: npt.NDArray[np.float64]
    suggested: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    wrong: npt.NDArray[np.int64]


def _facts(record: AuditRecord, results: Results, ranking: str) -> _Facts:
    scores, measured = results.suspect_scores(ranking), results.measured("train")
    labels = np.asarray(results.dataset().splits["train"].labels)
    suggested, confidence = suspects.suggestions(labels, measured["other"], measured["other_probability"])
    wrong = disagrees(record.target, labels, measured["predicted"], measured["value"]).sum(axis=0)
    return _Facts(scores, suspects.percentiles(scores), suggested, confidence, wrong)


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

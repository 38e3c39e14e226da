"""The influence document: put a question to the query process and dress its rows with names and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tracin_viz.audit.findings import class_index
from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import given_words, predicted_words
from tracin_viz.config import Home
from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.store.registry import AuditRecord

#: How to order, with the sentence the page shows beside the choice.
RANKINGS = {
    "dot": "Plain TracIn score: how much training on the example lowered the loss. Large gradients count.",
    "cosine": "Direction only: examples that pull the same way, however strongly. Compares like with like.",
    "relatif": "TracIn score per unit of the training example's own pull: quiets those that push everything.",
}


@dataclass(frozen=True)
class Question:
    """What is asked (arguments of ``Audit.influence``)."""

    query: str | None
    text: str | None
    image: bytes | None
    label: str | None
    score: str | None
    top: int
    ranking: str


def influence_document(
    home: Home, record: AuditRecord, results: Results, question: Question, *, session: str
) -> dict[str, Any]:
    """Answer ``question`` (see ``Audit.influence``)."""
    _check(record, question)
    results.gradients("train")  # refuses with the remedy where nothing is computed yet
    header: dict[str, Any] = {
        "audit": record.name,
        "top": question.top,
        "ranking": question.ranking,
        "label": None if question.label is None else class_index(record, question.label),
        "score": None if question.score is None else class_index(record, question.score),
    }
    arrays = []
    if question.query is not None:
        split, row = example_place(record, question.query)
        header["query"] = {"split": split, "row": row}
        source = results.dataset().splits[split].sources[row]
        given = given_words(results.dataset(), split)[row]
    elif question.text is not None:
        header["query"] = {"text": question.text}
        source, given = question.text, question.label
    else:
        header["query"] = {"image": 0}
        arrays = [np.frombuffer(question.image or b"", dtype=np.uint8)]
        source, given = "uploaded image", question.label
    answer, found = QueryClient(home).ask("influence", header, arrays, session=session)
    lists = dict(zip(answer["lists"], zip(found[0::3], found[1::3], found[2::3], strict=True), strict=True))
    return {
        "audit": record.name,
        "query": {
            "id": question.query,
            "source": source,
            "label": given,
            "predicted": predicted_words(
                record.target, record.classes, [answer["predicted"]], [answer["value"]]
            )[0],
            "confidence": answer["confidence"],
        },
        "target": {"kind": answer["target"], "class": _class_name(record, answer["target_class"])},
        "ranking": question.ranking,
        "exact": True,
        "candidates": answer["candidates"],
        "sketch_error": answer["sketch_error"],
        "checkpoints": answer["checkpoints"],
        **{name: _entries(record, results, name, *columns) for name, columns in lists.items()},
    }


def _class_name(record: AuditRecord, index: int) -> str | None:
    return record.classes[index] if 0 <= index < len(record.classes) else None


def example_place(record: AuditRecord, identifier: str) -> tuple[str, int]:
    """Split and row of an identifier such as ``test:17``.

    Raises:
        NotFoundError: There is no such example; the message gives the range of rows.
    """
    split, _, row = identifier.rpartition(":")
    count = record.splits.get(split)
    if count is None or not row.isdecimal() or int(row) >= count:
        raise NotFoundError(
            f"Audit '{record.name}' has no example '{identifier}'.",
            remedy="Examples: "
            + "; ".join(f"{name}:0 to {name}:{n - 1}" for name, n in record.splits.items())
            + ".",
        )
    return split, int(row)


def _check(record: AuditRecord, question: Question) -> None:
    given = [question.query, question.text, question.image]
    if sum(part is not None for part in given) != 1:
        raise InputError(
            "An influence question needs exactly one query.",
            remedy="Give an example (test:17), a text, or an image file.",
        )
    if question.text is not None and record.task != "text":
        raise InputError(
            f"Audit '{record.name}' is about images.", remedy="Give an example or an image file."
        )
    if question.text is not None and not question.text.strip():
        raise InputError("The query text is empty.", remedy="Type a sentence.")
    if question.image is not None and record.task != "image":
        raise InputError(f"Audit '{record.name}' is about texts.", remedy="Give an example or a text.")
    if question.label is not None and question.score is not None:
        raise InputError(
            "A label (explain its loss) and a score class (explain its score) cannot both be asked for.",
            remedy="Give one of them.",
        )
    if question.ranking not in RANKINGS:
        raise InputError(
            f"Ranking '{question.ranking}' is not known.", remedy=f"Possible: {', '.join(RANKINGS)}."
        )
    if not 1 <= question.top <= 1000:
        raise InputError(f"Top {question.top} cannot be listed.", remedy="Ask for 1 to 1000 examples.")


def _entries(
    record: AuditRecord, results: Results, name: str, rows: Any, scores: Any, sketched: Any
) -> list[dict[str, Any]]:
    table = results.examples("train")
    # Similarity is a cosine of embeddings: there is nothing sketched about it.
    similar = name in ("most_similar", "least_similar")
    entries = []
    for row, score, sketch in zip(rows.tolist(), scores.tolist(), sketched.tolist(), strict=True):
        example = table.iloc[row]
        entries.append(
            {
                "id": example["id"],
                "split": "train",
                "row": row,
                "source": example["source"],
                "label": example["label"],
                "predicted": example["predicted"],
                "score": score,
                "sketch_score": None if similar else sketch,
            }
        )
    return entries

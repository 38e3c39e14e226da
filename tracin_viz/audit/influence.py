"""The influence document: put a question to the query process and dress its rows with names and labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.audit.findings import class_index
from tracin_viz.audit.groups import Group, find_group
from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import given_words, predicted_words
from tracin_viz.config import Home
from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.store.registry import AuditRecord
from tracin_viz.store.selections import Selections

#: How to order, with the sentence that says when.
RANKINGS = {
    "dot": "Plain TracIn score: how much training on the example lowered the loss. Large gradients count.",
    "cosine": "Direction only: examples that pull the same way, however strongly. Compares like with like.",
    "relatif": "TracIn score per unit of the training example's own pull: quiets those that push everything.",
}


@dataclass(frozen=True)
class Question:
    """What is asked (arguments of ``Audit.influence``)."""

    query: str | None = None
    text: str | None = None
    image: bytes | None = None
    group: str | None = None
    label: str | None = None
    score: str | None = None
    top: int = 10
    ranking: str = "dot"
    same_class: bool = False
    exact: bool = True


@dataclass(frozen=True)
class Place:
    """Where questions are asked.

    Attributes:
        home: The workspace.
        record: The audit.
        results: Its results.
        selections: Its kept selections.
        query_split: The split that cells of the confusion matrix are of.
    """

    home: Home
    record: AuditRecord
    results: Results
    selections: Selections
    query_split: str


@dataclass(frozen=True, eq=False)
class Request:
    """A question as the query process takes it, and what the answer says about its query."""

    header: dict[str, Any]
    arrays: list[npt.NDArray[Any]]
    about: dict[str, Any]


def influence_document(place: Place, question: Question, *, session: str) -> dict[str, Any]:
    """Answer ``question`` (see ``Audit.influence``)."""
    request = request_for(place, question)
    record, results = place.record, place.results
    answer, found = QueryClient(place.home).ask("influence", request.header, request.arrays, session=session)
    lists = dict(zip(answer["lists"], zip(found[0::3], found[1::3], found[2::3], strict=True), strict=True))
    query = {**request.about, "left_out": answer["left_out"]}
    if question.group is None:
        named = predicted_words(record.target, record.classes, [answer["predicted"]], [answer["value"]])
        query |= {"predicted": named[0], "confidence": answer["confidence"]}
    return {
        "audit": record.name,
        "query": query,
        "target": {"kind": answer["target"], "class": _class_name(record, answer["target_class"])},
        "ranking": question.ranking,
        "same_class": question.same_class,
        **{name: answer[name] for name in ("exact", "can_be_exact", "candidates", "sketch_error")},
        **{name: answer[name] for name in ("checkpoints", "seconds")},
        **{name: _entries(results, name, *columns) for name, columns in lists.items()},
    }


def parts_document(place: Place, question: Question, rows: list[int], *, session: str) -> dict[str, Any]:
    """Where the influence of training rows comes from (see ``Audit.influence_parts``)."""
    _check_rows(place.record, rows)
    request = request_for(place, question)
    arrays = [*request.arrays, np.asarray(rows, dtype=np.int64)]
    answer, (parts,) = QueryClient(place.home).ask("parts", request.header, arrays, session=session)
    return {
        "audit": place.record.name,
        "ids": [f"train:{row}" for row in rows],
        "checkpoints": answer["checkpoints"],
        "layers": answer["layers"],
        "scores": parts,
    }


def words_document(place: Place, question: Question, rows: list[int], *, session: str) -> dict[str, Any]:
    """Which words of training texts carry their influence (see ``Audit.influence_words``)."""
    record = place.record
    if record.task != "text":
        raise InputError(f"Audit '{record.name}' is about {record.task}s, which have no words.")
    _check_rows(record, rows)
    request = request_for(place, question)
    arrays = [*request.arrays, np.asarray(rows, dtype=np.int64)]
    _, (scores, spans, rest) = QueryClient(place.home).ask("words", request.header, arrays, session=session)
    sources = place.results.dataset().splits["train"].sources
    texts = []
    for number, row in enumerate(rows):
        pieces = [
            {"start": start, "stop": stop, "score": score}
            for (start, stop), score in zip(spans[number].tolist(), scores[number].tolist(), strict=True)
            if stop > start
        ]
        bare = spans[number, :, 1] <= spans[number, :, 0]
        elsewhere = float(rest[number] + scores[number][bare].sum())
        texts.append({"id": f"train:{row}", "text": sources[row], "pieces": pieces, "elsewhere": elsewhere})
    return {"audit": record.name, "texts": texts}


def _check_rows(record: AuditRecord, rows: list[int]) -> None:
    count = record.splits["train"]
    if not rows or min(rows) < 0 or max(rows) >= count:
        raise InputError(
            "The influence of these training rows cannot be divided.",
            remedy=f"Give rows of the training split, 0 to {count - 1}, at least one.",
        )


def request_for(place: Place, question: Question) -> Request:
    """The request that ``question`` is.

    Raises:
        NotFoundError: No such example, class or group.
        InputError: The question contradicts itself or the audit.
        NotComputedError: No finished run.
    """
    record, results = place.record, place.results
    _check(record, question)
    needs_scores(results)
    group = None
    if question.group is not None:
        group = find_group(record, results, place.selections, place.query_split, question.group)
        if group.predicted is not None and question.label is None and question.score is None:
            # "Why does it say this?" is the question of a cell, so its prediction is explained.
            question = replace(question, label=group.predicted)
    header: dict[str, Any] = {
        "audit": record.name,
        # As the page sees them: another set than the stored one may be asked about (``Audit.limited``).
        "checkpoints": [one.step for one in record.checkpoints if one.step not in set(record.unused)],
        "top": question.top,
        "ranking": question.ranking,
        "same_class": question.same_class,
        "exact": question.exact,
        "label": None if question.label is None else class_index(record, question.label),
        "score": None if question.score is None else class_index(record, question.score),
    }
    if group is not None:
        header["query"] = {"split": group.split, "rows": 0}
        return Request(header, [group.rows], _about_group(results, group))
    if question.query is not None:
        split, row = example_place(record, question.query)
        header["query"] = {"split": split, "row": row}
        source = results.dataset().splits[split].sources[row]
        given = given_words(results.dataset(), split)[row]
        return Request(header, [], {"id": question.query, "source": source, "label": given})
    if question.text is not None:
        header["query"] = {"text": question.text}
        return Request(header, [], {"id": None, "source": question.text, "label": question.label})
    header["query"] = {"image": 0}
    picture = np.frombuffer(question.image or b"", dtype=np.uint8)
    return Request(header, [picture], {"id": None, "source": "uploaded image", "label": question.label})


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


def _about_group(results: Results, group: Group) -> dict[str, Any]:
    table = results.examples(group.split)
    return {
        "id": None,
        "group": group.address,
        "split": group.split,
        "examples": len(group.rows),
        "source": group.address,
        "label": group.given,
        "predicted": group.predicted,
        "confidence": float(np.nanmean(table["confidence"].to_numpy()[group.rows]))
        if group.predicted is not None
        else None,
    }


def _class_name(record: AuditRecord, index: int) -> str | None:
    return record.classes[index] if 0 <= index < len(record.classes) else None


def _check(record: AuditRecord, question: Question) -> None:
    given = [question.query, question.text, question.image, question.group]
    if sum(part is not None for part in given) != 1:
        raise InputError(
            "An influence question needs exactly one query.",
            remedy="Give an example (test:17), a text, an image file, or a group.",
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
    check_ranking(question.ranking)
    if not 1 <= question.top <= 1000:
        raise InputError(f"Top {question.top} cannot be listed.", remedy="Ask for 1 to 1000 examples.")


def check_ranking(ranking: str) -> None:
    """Refuse a ranking that does not exist.

    Raises:
        InputError: It does not.
    """
    if ranking not in RANKINGS:
        raise InputError(f"Ranking '{ranking}' is not known.", remedy=f"Possible: {', '.join(RANKINGS)}.")


def entries(results: Results, rows: list[int]) -> list[dict[str, Any]]:
    """What every list says about these training examples."""
    table = results.examples("train")
    found = table[["id", "source", "label", "predicted"]].iloc[rows].to_dict("records")
    return [{**known, "split": "train", "row": row} for known, row in zip(found, rows, strict=True)]


def needs_scores(results: Results) -> None:
    """Refuse, with the remedy, where nothing is computed yet.

    Raises:
        NotComputedError: Nothing is.
    """
    if not results.scores_ready():  # opening all units only to find them there takes longer than the question
        results.gradients("train")


def _entries(results: Results, name: str, rows: Any, scores: Any, sketched: Any) -> list[dict[str, Any]]:
    # Similarity is a cosine of embeddings: there is nothing sketched about it.
    similar = name in ("most_similar", "least_similar")
    columns = zip(entries(results, rows.tolist()), scores.tolist(), sketched.tolist(), strict=True)
    return [
        {**known, "score": score, "sketch_score": None if similar else sketch}
        for known, score, sketch in columns
    ]

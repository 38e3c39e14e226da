"""Groups as queries, estimates, parts and opponents of many: each equals what single exact questions say."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.conftest import run_command
from tracin_viz.audit import Audit, Workspace
from tracin_viz.audit.groups import cell_address
from tracin_viz.errors import InputError, NotFoundError

pytestmark = pytest.mark.usefixtures("answered_here")

ALL = 48  # training examples of the tiny audit
TOLERANCE = 1e-5  # relative to the query's largest score


@pytest.fixture(scope="module")
def audit(tiny_home: Any) -> Audit:
    from tracin_viz.config import Home

    return Workspace(Home(tiny_home)).open("tiny")


def all_scores(document: dict[str, Any], rows: int = ALL) -> np.ndarray:
    """(rows,) scores of a document that lists every training example; 0 where one is not listed."""
    found = np.zeros(rows)
    for entry in [*document["proponents"], *document["opponents"]]:
        found[entry["row"]] = entry["score"]
    return found


def busiest_cell(audit: Audit) -> tuple[str, str, list[str]]:
    """Given and predicted class of the mistakes made most, and the ids of the examples."""
    table = audit.examples("test")
    pairs = Counter(zip(table["label"], table["predicted"], strict=True))
    given, predicted = max(pairs, key=lambda pair: pairs[pair])
    here = table[(table["label"] == given) & (table["predicted"] == predicted)]
    return given, predicted, here["id"].tolist()


@pytest.mark.parametrize("exact", [True, False])
def test_a_cell_is_the_mean_over_its_examples(audit: Audit, exact: bool):
    given, predicted, ids = busiest_cell(audit)
    assert len(ids) > 1
    address = cell_address(given, predicted)
    found = audit.influence(group=address, top=ALL, exact=exact)
    assert found["query"] | {"left_out": 0} == found["query"]
    assert (found["query"]["examples"], found["query"]["label"]) == (len(ids), given)
    assert found["target"] == {"kind": "loss", "class": predicted}
    assert found["exact"] is exact
    each = [all_scores(audit.influence(query=one, label=predicted, top=ALL, exact=exact)) for one in ids]
    mean = np.mean(each, axis=0)
    np.testing.assert_allclose(all_scores(found), mean, atol=TOLERANCE * np.abs(mean).max())


def test_a_selection_is_the_mean_over_its_examples_and_leaves_them_out(audit: Audit):
    rows = np.array([3, 17, 40])
    name = audit.selections.keep(rows)
    found = audit.influence(group=f"sel:{name}", top=ALL)
    mean = np.mean([all_scores(audit.influence(query=f"train:{row}", top=ALL)) for row in rows], axis=0)
    others = np.setdiff1d(np.arange(ALL), rows)
    np.testing.assert_allclose(
        all_scores(found)[others], mean[others], atol=TOLERANCE * np.abs(mean[others]).max()
    )
    listed = {entry["row"] for side in ("proponents", "opponents", "most_similar") for entry in found[side]}
    assert not listed & set(rows.tolist())


def test_a_group_may_be_asked_for_the_score_of_a_class(audit: Audit):
    given, predicted, ids = busiest_cell(audit)
    found = audit.influence(group=cell_address(given, predicted), score="ring", top=ALL)
    assert found["target"] == {"kind": "score", "class": "ring"}
    mean = np.mean([all_scores(audit.influence(query=one, score="ring", top=ALL)) for one in ids], axis=0)
    np.testing.assert_allclose(all_scores(found), mean, atol=TOLERANCE * np.abs(mean).max())


@pytest.mark.parametrize("ranking", ["dot", "cosine", "relatif"])
def test_estimates_are_the_sketched_scores_of_the_exact_answer(audit: Audit, ranking: str):
    exact = audit.influence(query="test:4", ranking=ranking, top=ALL)
    estimate = audit.influence(query="test:4", ranking=ranking, top=ALL, exact=False)
    assert (estimate["exact"], estimate["can_be_exact"], estimate["sketch_error"]) == (False, True, None)
    sketched = {
        entry["row"]: entry["sketch_score"] for side in ("proponents", "opponents") for entry in exact[side]
    }
    shown = {entry["row"]: entry["score"] for side in ("proponents", "opponents") for entry in estimate[side]}
    assert shown == pytest.approx(sketched)
    scores = [entry["score"] for entry in estimate["proponents"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("ranking", ["dot", "relatif"])
def test_parts_by_checkpoint_and_layer_sum_to_the_score(audit: Audit, ranking: str):
    found = audit.influence(query="test:2", ranking=ranking)
    rows = [entry["row"] for entry in found["proponents"]]
    parts = audit.influence_parts(rows, query="test:2", ranking=ranking)
    assert parts["checkpoints"] == found["checkpoints"] == [4, 8, 12]
    assert parts["scores"].shape == (len(rows), 3, len(parts["layers"]))
    scores = [entry["score"] for entry in found["proponents"]]
    np.testing.assert_allclose(parts["scores"].sum(axis=(1, 2)), scores, rtol=1e-6)


def test_same_class_lists_only_the_class_that_is_explained(audit: Audit):
    found = audit.influence(query="test:0", label="ring", same_class=True, top=ALL)
    everything = audit.influence(query="test:0", label="ring", top=ALL)
    for side in ("proponents", "opponents"):
        wanted = [entry for entry in everything[side] if entry["label"] == "ring"]
        assert [entry["id"] for entry in found[side]] == [entry["id"] for entry in wanted]


@pytest.mark.parametrize("among", ["wrong", "all"])
def test_opponents_of_many_are_counted_as_single_estimates_list_them(audit: Audit, among: str):
    found = audit.opposing(among=among, each=3, top=ALL)
    table = audit.examples("test")
    ids = table["id"] if among == "all" else table.loc[table["wrong"], "id"]
    counted: Counter[str] = Counter()
    for one in ids:
        single = audit.influence(query=one, top=3, exact=False)
        counted.update(entry["id"] for entry in single["opponents"])
    assert found["looked_at"] == found["of"] == len(ids)
    assert {entry["id"]: entry["count"] for entry in found["opponents"]} == counted
    counts = [entry["count"] for entry in found["opponents"]]
    assert counts == sorted(counts, reverse=True)
    for entry in found["opponents"][:3]:
        assert len(entry["examples"]) == min(entry["count"], 10)


def test_opponents_of_many_tell_how_far_they_are_and_take_the_largest_losses(audit: Audit):
    told: list[tuple[int, int]] = []
    found = audit.opposing(among="all", each=1, most=4, progress=lambda *far: told.append(far))
    assert told == [(0, 4), (4, 4)]
    worst = audit.examples("test").nlargest(4, "loss")["id"]
    assert {one for entry in found["opponents"] for one in entry["examples"]} <= set(worst)
    assert (found["looked_at"], found["of"]) == (4, 15)


def test_the_confusion_matrix_counts_the_query_split(audit: Audit):
    found = audit.confusion()
    table = audit.examples("test")
    assert sum(map(sum, found["counts"])) == len(table)
    for given, row in zip(found["classes"], found["counts"], strict=True):
        for predicted, count in zip(found["classes"], row, strict=True):
            assert count == ((table["label"] == given) & (table["predicted"] == predicted)).sum()


def test_a_colon_in_a_class_name_keeps_its_cell_readable():
    assert cell_address("a:b", "50 %") == "cell:a%3Ab:50 %25"


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("cell:star:ring", NotFoundError, "star"),
        ("cell:ring", InputError, "cell:<given>:<predicted>"),
        ("everything", InputError, "sel:<selection>"),
        ("sel:nonsense", NotFoundError, "nonsense"),
    ],
)
def test_an_unreadable_group_is_refused_in_words(
    audit: Audit, address: str, error: type[Exception], words: str
):
    with pytest.raises(error, match="(?s)" + words):
        audit.influence(group=address)


def test_an_empty_cell_is_refused(audit: Audit):
    found = audit.confusion()
    empty = [
        (given, predicted)
        for given, row in zip(found["classes"], found["counts"], strict=True)
        for predicted, count in zip(found["classes"], row, strict=True)
        if count == 0
    ]
    assert empty, "the tiny model makes some mistake never"
    with pytest.raises(NotFoundError, match="No example of test"):
        audit.influence(group=cell_address(*empty[0]))


def test_the_command_line_asks_about_groups_and_opponents(tiny_home: Any, audit: Audit):
    given, predicted, ids = busiest_cell(audit)
    asked = ("influence", "tiny", "--group", cell_address(given, predicted), "--top", "5")
    found = run_command(*asked, "--json", home=tiny_home)
    assert found.code == 0, found.err
    same = audit.influence(group=cell_address(given, predicted), top=5)
    for side in ("proponents", "opponents"):
        assert [entry["id"] for entry in found.document[side]] == [entry["id"] for entry in same[side]]
    shown = run_command(*asked, "--estimate", home=tiny_home)
    assert f"the mean over {len(ids)} examples of test" in shown.out
    assert "estimated scores" in shown.out
    many = run_command("opposing", "tiny", "--each", "3", "--top", "4", "--json", home=tiny_home)
    assert many.document == audit.opposing(each=3, top=4)

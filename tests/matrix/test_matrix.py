"""Some forms of data with some forms of model, and the scores never depend on the form.

All cells of a kind hold the same examples, weights and rates: whatever the files, the scores must be those of
the first cell. The first cell of each kind is judged by plain autograd. `make acceptance` runs all cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from tests.conftest import end_query_process
from tests.matrix.cells import Kind, kinds, name_of, scores_of
from tests.matrix.content import CLASSES, examples
from tests.matrix.networks import RATE, several_targets
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import HOME_VARIABLE, Home
from tracin_viz.errors import InputError
from tracin_viz.jobs.estimating import estimate
from tracin_viz.jobs.evidence_settings import EstimateSettings, RetrainSettings, SelfTestSettings
from tracin_viz.jobs.retraining import retrain
from tracin_viz.jobs.self_testing import self_test
from tracin_viz.jobs.subject import Subject
from tracin_viz.models.bundle import inspect_run
from tracin_viz.relabel.changes import read_changes

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # PEFT asks transformers by an old name
ROOT = Path(__file__).parents[2]
#: Cells of `make test`; the parts of the others are tested beside the readers.
CHOSEN = {
    "images": [("image folder", "Trainer"), ("saved data set", "torchvision")],
    "texts": [("csv", "Trainer"), ("jsonl", "fastai")],
    "several labels": [("csv", "safetensors")],
    "adapters": [("csv", "PEFT adapter")],
    "rows": [("csv", "Lightning")],
    "numbers": [("parquet", "state dicts")],
}


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kind]:
    return kinds(tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("matrix-home")
    yield folder
    end_query_process(folder)


@pytest.mark.parametrize("name", CHOSEN)
def test_scores_do_not_depend_on_the_form_of_the_files(
    name: str, every_kind: dict[str, Kind], home: Path
) -> None:
    kind = every_kind[name]
    first, *others = (scores_of(home, kind, *cell, look_into=inspect_run) for cell in CHOSEN[name])
    assert np.count_nonzero(first) == len(first)
    for found in others:
        np.testing.assert_allclose(found, first, rtol=0, atol=1e-5 * np.abs(first).max())
    expected = _by_autograd(kind, name)
    np.testing.assert_allclose(first, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_the_words_of_a_text_sum_to_its_influence(every_kind: dict[str, Kind], home: Path) -> None:
    audit = _audit(every_kind, home, "texts")
    found = audit.influence(query="test:1", top=3)
    for side in ("proponents", "opponents"):
        scores = {entry["id"]: entry["score"] for entry in found[side]}
        rows = [entry["row"] for entry in found[side]]
        for one in audit.influence_words(rows, query="test:1")["texts"]:
            text, pieces = one["text"], one["pieces"]
            whole = sum(piece["score"] for piece in pieces) + one["elsewhere"]
            assert whole == pytest.approx(scores[one["id"]], rel=1e-3)
            assert " ".join(text[piece["start"] : piece["stop"]] for piece in pieces).split() == text.split()
            assert any(piece["score"] for piece in pieces)
    with pytest.raises(InputError, match="no words"):
        _audit(every_kind, home, "images").influence_words([0], query="test:1")


@pytest.mark.parametrize("name", ["texts", "several labels", "numbers"])
def test_a_selection_is_the_mean_of_its_examples_whatever_their_labels_are(
    name: str, every_kind: dict[str, Kind], home: Path
) -> None:
    audit = _audit(every_kind, home, name)
    rows, count = np.array([0, 2]), audit.splits["train"]
    group = f"sel:{audit.selections.keep(rows)}"
    each = [_listed(audit.influence(query=f"train:{row}", top=100), count) for row in rows]
    others = np.setdiff1d(np.arange(count), rows)
    mean = np.mean(each, axis=0)[others]
    found = _listed(audit.influence(group=group, top=100), count)
    np.testing.assert_allclose(found[others], mean, rtol=0, atol=1e-4 * np.abs(mean).max())
    if name != "texts":
        with pytest.raises(InputError, match="no confusion matrix"):
            audit.confusion()
        with pytest.raises(InputError, match="no “same class”"):
            audit.influence(query="test:1", same_class=True)


@pytest.mark.parametrize("view", ["one", "many"])
@pytest.mark.parametrize("name", ["texts", "several labels", "numbers"])
def test_the_influence_page_draws_whatever_labels_are(
    name: str, view: str, every_kind: dict[str, Kind], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = _audit(every_kind, home, name)
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=240)
    app.query_params.update({"audit": audit.name, "view": view, "among": "all"})
    app.switch_page("3_influence.py")
    app.run()
    assert not app.exception and not app.error
    words = " ".join(str(one.value) for one in [*app.caption, *app.markdown])
    assert "should not have" not in words
    assert "estimated from gradient sketches" in words if view == "many" else "**Exact** scores" in words


def test_opponents_of_many_numbers_are_those_of_all(every_kind: dict[str, Kind], home: Path) -> None:
    audit = _audit(every_kind, home, "numbers")
    with pytest.raises(InputError, match="never simply wrong"):
        audit.opposing()
    found = audit.opposing(among="all", each=2)
    assert found["looked_at"] == audit.splits["test"]
    assert found["opponents"]


def _audit(every_kind: dict[str, Kind], home: Path, name: str) -> Audit:
    """The computed audit of a kind's first cell."""
    kind = every_kind[name]
    known = {summary.name for summary in Workspace(Home(home)).summaries()}
    made = name_of(kind, *CHOSEN[name][0])
    if made not in known:
        scores_of(home, kind, *CHOSEN[name][0], look_into=inspect_run)
    return Workspace(Home(home)).open(made)


def _listed(found: dict[str, Any], count: int) -> np.ndarray:
    scores = np.zeros(count)
    for entry in (*found["proponents"], *found["opponents"]):
        scores[entry["row"]] = entry["score"]
    return scores


#: Two labels that change, in the form in which decisions hold them.
NEW_LABELS: dict[str, dict[int, str | None]] = {
    "several labels": {0: '["bar", "cross"]', 9: None},
    "numbers": {0: "9.5", 9: None},
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # as above
@pytest.mark.parametrize("name", NEW_LABELS)
def test_there_is_evidence_for_every_kind_of_label(
    name: str, every_kind: dict[str, Kind], home: Path
) -> None:
    subject = Subject.of(Home(home), _audit(every_kind, home, name).name)
    changes = read_changes(NEW_LABELS[name], subject.dataset)

    def ignored(done: int, total: int, message: str) -> None:
        assert 0 <= done <= total

    estimated = estimate(subject, changes, EstimateSettings(), ignored)
    assert estimated["examples"] == 6
    listed = [*estimated["decisions"]["lower"], *estimated["decisions"]["raise"]]
    assert sum(entry["value"] for entry in listed) == pytest.approx(estimated["overall"]["mean"], rel=1e-3)
    retrained = retrain(subject, changes, RetrainSettings(seeds=2), ignored)
    measures = {"several labels": "labels right", "numbers": "mean error"}
    assert retrained["measure"] == measures[name]
    given, decided = (arm["mean"] for arm in retrained["arms"])
    better = given - decided if retrained["better"] == "lower" else decided - given
    assert retrained["gain"]["mean"] == pytest.approx(better)
    tested = self_test(subject, changes, SelfTestSettings(noise=10, seeds=2), ignored)
    assert tested["planted"] == 2
    assert ("aum" in tested["curves"]) == (name != "numbers")


def _by_autograd(kind: Kind, name: str) -> np.ndarray:
    """TracInCP of each training example with ``test:1``, one gradient at a time."""
    every = examples()
    train = [example for example in every if example.split == "train"]
    query = [example for example in every if example.split == "test"][1]
    model = kind.network.model

    def gradient(example: object) -> torch.Tensor:
        outputs = _outputs(kind, example)
        if name == "several labels":
            wanted = several_targets([example])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(outputs, wanted)
        elif name == "numbers":
            length, width, _ = example.row  # type: ignore[attr-defined]
            price = torch.tensor(round(length * 2.0 - width + 0.25, 3))
            loss = (outputs.reshape(()) - price) ** 2
        else:
            label = torch.tensor([CLASSES.index(example.label)])  # type: ignore[attr-defined]
            loss = torch.nn.functional.cross_entropy(outputs, label)
        parts = torch.autograd.grad(loss, [each for each in model.parameters() if each.requires_grad])
        return torch.cat([part.flatten() for part in parts]).double()

    scores = np.zeros(len(train))
    model.eval()
    for state in kind.network.states:
        model.load_state_dict(state)
        asked = gradient(query)
        scores += [RATE * float(gradient(example) @ asked) for example in train]
    return scores


def _outputs(kind: Kind, example: object) -> torch.Tensor:
    model, inputs = kind.network.model, kind.network.inputs
    if kind.network.code:
        found: torch.Tensor = model(torch.tensor([example.row]))  # type: ignore[attr-defined]
    elif hasattr(inputs, "image_mean"):
        pixels = torch.from_numpy(example.picture).float()[None, None]  # type: ignore[attr-defined]
        found = model((pixels / 255 - 0.5) / 0.5).logits
    else:
        found = model(**inputs([example.text], return_tensors="pt")).logits  # type: ignore[attr-defined]
    return found

"""Does it help? From decisions to kept answers, by the command line and the façade, on real small audits."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_command
from tests.jobs.processes import end_children, wait_until
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home
from tracin_viz.errors import CancelledError, InputError, JobError
from tracin_viz.jobs.answers import Answers
from tracin_viz.jobs.evidence_settings import EstimateSettings


@pytest.fixture
def home(tiny_home: Path, tmp_path: Path) -> Path:
    """A copy of the tiny audit that a test may decide about."""
    copied = tmp_path / "home"
    shutil.copytree(tiny_home, copied, ignore=shutil.ignore_patterns("runtime", "workspace.db*"))
    return copied


def opened(home: Path) -> Audit:
    return Workspace(Home(home)).open("tiny")


def decide(audit: Audit) -> None:
    audit.decide("train:0", "relabel", new_label="ring", annotator="ann")
    audit.decide("train:20", "exclude", annotator="ann")
    audit.decide("train:30", "keep", annotator="ann")


def asked(home: Path, *arguments: str) -> dict[str, Any]:
    done = run_command(arguments[0], "tiny", *arguments[1:], "--json", home=home)
    assert done.code == 0, done.err
    return done.document


def test_without_decisions_there_is_nothing_to_compare(home: Path):
    for kind in ("estimate", "retrain"):
        done = run_command(kind, "tiny", home=home)
        assert done.code == 1
        assert "No decision" in done.err
    assert opened(home).retraining() is None
    assert opened(home).estimate() is None


def test_retraining_counts_the_decisions_and_is_paired_by_seed(home: Path):
    decide(opened(home))
    found = asked(home, "retrain", "--seeds", "4")
    assert found["changes"] == {"relabelled": 1, "excluded": 1}
    assert (found["how"], found["split"], found["examples"]) == ("last-layer", "test", 15)
    arms = {arm["name"]: arm for arm in found["arms"]}
    assert len(arms["given"]["values"]) == len(arms["decided"]["values"]) == 4
    differences = [b - a for a, b in zip(arms["given"]["values"], arms["decided"]["values"], strict=True)]
    assert found["gain"]["mean"] == pytest.approx(sum(differences) / 4)
    assert found["gain"]["low"] <= found["gain"]["mean"] <= found["gain"]["high"]
    assert {entry["class"] for entry in found["classes"]} == {"bar", "cross", "ring"}
    kept = opened(home).retraining()
    assert kept is not None
    assert kept["current"]
    assert {name: kept[name] for name in found} == found


def test_an_answer_to_older_decisions_says_so_and_an_undo_makes_it_current_again(home: Path):
    audit = opened(home)
    decide(audit)
    asked(home, "retrain", "--seeds", "2")
    audit.decide("train:21", "exclude", annotator="ann")
    kept = audit.retraining()
    assert kept is not None
    assert (kept["current"], kept["older"]) == (False, ["decisions"])
    audit.undo("ann")
    kept = audit.retraining()
    assert kept is not None
    assert kept["current"]
    audit.decide("train:31", "keep", annotator="ann")
    assert audit.retraining()["current"], "a kept label changes nothing that is trained on"  # type: ignore[index]
    audit.set_checkpoints([{"step": 4, "use": False}])
    kept = audit.retraining()
    assert kept is not None
    assert kept["older"] == ["results"]


def test_decisions_of_several_people_count_by_the_audits_policy(home: Path):
    audit = opened(home)
    for name in ("ann", "bob"):
        audit.decide("train:0", "relabel", new_label="ring", annotator=name)
    audit.decide("train:0", "keep", annotator="cid")
    assert len(audit.label_changes()) == 0, "the last word counts where nothing else is said"
    audit.set_policy("majority")
    assert len(audit.label_changes()) == 1
    assert asked(home, "retrain", "--seeds", "1")["changes"]["relabelled"] == 1
    assert audit.retraining()["current"]  # type: ignore[index]
    audit.set_policy("single")
    assert audit.retraining()["older"] == ["decisions"]  # type: ignore[index]


def test_the_estimate_tells_sign_and_order_only_where_the_optimizer_is_not_known(home: Path):
    decide(opened(home))
    found = asked(home, "estimate")
    assert (found["unit"], found["unit_unknown"]) == ("score", "optimizer")
    assert found["examples"] == 15
    overall = found["overall"]
    assert overall["low"] <= overall["mean"] <= overall["high"]
    # Each class has five test examples, so the mean of the classes is the mean of all.
    assert sum(entry["mean"] for entry in found["classes"]) / 3 == pytest.approx(overall["mean"])
    listed = [*found["decisions"]["lower"], *found["decisions"]["raise"]]
    assert {entry["id"] for entry in listed} == {"train:0", "train:20"}
    assert sum(entry["value"] for entry in listed) == pytest.approx(overall["mean"], rel=1e-4)
    assert opened(home).estimate()["current"]  # type: ignore[index]
    one = asked(home, "estimate", "--class", "ring")
    assert one["examples"] == 5
    ring = next(entry for entry in found["classes"] if entry["class"] == "ring")
    assert one["overall"]["mean"] == pytest.approx(ring["mean"])
    assert opened(home).estimate(class_name="ring")["examples"] == 5  # type: ignore[index]


def test_the_query_process_estimates_at_once_what_a_job_would_estimate(home: Path):
    audit = opened(home)
    assert audit.estimate_is_quick()
    decide(audit)
    answers = Answers(Home(home))  # what the process runs; its transport has tests of its own
    header = {"audit": "tiny", "asked": EstimateSettings().as_dict()}
    with pytest.raises(CancelledError):
        answers("estimate", header, [], lambda: True)
    assert audit.estimate() is None, "nothing of a cancelled question is kept"
    assert answers("estimate", header, [], lambda: False) == ({}, [])
    found = audit.estimate()
    again = asked(home, "estimate")
    assert found is not None
    assert {name: found[name] for name in again} == again, "one answer, kept once"


def test_the_self_test_needs_no_decision_and_says_how_much_is_found(home: Path):
    found = asked(home, "self-test", "--noise", "10", "--seeds", "3")
    assert (found["planted"], found["training"]) == (5, 48)
    assert [entry["percent"] for entry in found["at"]] == [5.0, 10.0, 20.0]
    for entry in found["at"]:
        assert entry["random"] == entry["percent"] / 100
        assert entry["self-influence"]["count"] == 3
    curve = found["curves"]["aum"]
    assert (curve["mean"][0], curve["mean"][-1]) == (0, 1)
    low, mean, high = (curve[name] for name in ("low", "mean", "high"))
    assert all(a <= b <= c for a, b, c in zip(low, mean, high, strict=True))
    assert opened(home).self_test(noise=10)["planted"] == 5  # type: ignore[index]
    assert opened(home).self_test(noise=5) is None
    assert opened(home).self_test()["noise"] == 10  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("retrain", "--full"), "How the model of audit 'tiny' was trained is not known"),
        (("retrain", "--simulate", "10"), "not known, so nobody can be simulated"),
        (("retrain", "--seeds", "0"), "Give 1 to 50"),
        (("estimate", "--class", "dog"), "Possible: bar, cross, ring"),
        (("self-test", "--noise", "80"), "Give 0.01 to 50"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(home: Path, arguments: Any, said: str):
    decide(opened(home))
    done = run_command(arguments[0], "tiny", *arguments[1:], home=home)
    assert done.code == 1
    assert said in done.err


def test_a_question_is_answered_in_a_process_of_its_own_and_disturbs_no_run(home: Path):
    audit = opened(home)
    decide(audit)
    with pytest.raises(InputError, match="no kind"):
        audit.start_evidence("magic")
    audit.start_evidence("retrain", seeds=2)
    with pytest.raises(JobError, match="unfinished retrain"):
        audit.start_evidence("retrain", seeds=2)
    assert audit.status()["kind"] != "retrain", "the state of the run is not that of the question"
    wait_until(lambda: audit.evidence_status("retrain")["state"] in ("done", "failed"))  # type: ignore[index]
    status = audit.evidence_status("retrain")
    assert status is not None
    assert status["state"] == "done", status["message"]
    kept = audit.retraining()
    assert kept is not None
    assert kept["seeds"] == 2
    end_children()

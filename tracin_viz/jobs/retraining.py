"""After retraining: the same training with the labels as given and with the decisions, on held-out examples.

Both arms share the seed of each training (first weights, order of the examples; for a last layer also which
training examples are drawn), so that what the seed does cancels in the difference. The interval over seeds is
that of the mean over such trainings on *these* held-out examples; the one over held-out examples says how
much the difference hangs on which of those there were. Only where both agree there is a verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.explore.intervals import over_examples, over_seeds
from tracin_viz.explore.last_layer import Floats, Problem, Targets
from tracin_viz.jobs.evidence_settings import LAST_LAYER, RetrainSettings
from tracin_viz.jobs.subject import Subject
from tracin_viz.jobs.trainers import Labels, trainer
from tracin_viz.relabel.changes import Changes, given_targets, has_target

OnProgress = Callable[[int, int, str], None]
MEASURES = {"class": "accuracy", "multi-label": "labels right", "number": "mean error"}
_STEPS = 100


def retrain(
    subject: Subject, changes: Changes, settings: RetrainSettings, on_progress: OnProgress
) -> dict[str, Any]:
    """Train with and without the decisions; the document of ``Audit.retraining``.

    Args:
        subject: The audit.
        changes: What decisions change.
        settings: How, and how often.
        on_progress: Told hundredths of trainings done and to do; may raise to stop.

    Raises:
        InputError: There are no held-out examples, or too little is left to train on.
    """
    split = subject.held_out
    targets = given_targets(subject.dataset, split)
    rows = np.flatnonzero(has_target(targets))
    arms = _arms(subject, changes, settings)
    training = trainer(subject, settings.how)
    outputs: dict[str, list[Floats]] = {name: [] for name in arms}
    total = _STEPS * settings.seeds * len(arms)
    for seed in range(settings.seeds):
        for place, (name, labels) in enumerate(arms.items()):
            done = _STEPS * (seed * len(arms) + place)
            message = f"Training {seed + 1} of {settings.seeds}, {_WORDS[name]}"
            on_progress(done, total, message)

            def on_share(share: float, done: int = done, message: str = message) -> None:
                on_progress(done + round(_STEPS * share), total, message)

            outputs[name].append(training.outputs(labels, seed, rows, on_share))
    return {
        "audit": subject.record.name,
        "kind": "retrain",
        "how": settings.how,
        "simulated": settings.simulate,
        "split": split,
        "examples": len(rows),
        "training": int(arms["given"].stay.sum()),
        "seeds": settings.seeds,
        "changes": {"relabelled": changes.relabelled, "excluded": changes.excluded},
        **compared(training.problem, outputs, targets[rows]),
        "classes": _by_class(subject, training.problem, outputs, targets[rows]),
    }


_WORDS = {
    "given": "labels as given",
    "decided": "labels with the decisions",
    "true": "all labels right",
}


def compared(problem: Problem, outputs: dict[str, list[Floats]], targets: Targets) -> dict[str, Any]:
    """Figures of the arms and of the difference that the decisions make.

    Args:
        problem: What was learned.
        outputs: By arm, for each seed the outputs (m, C) on held-out examples.
        targets: (m,) or (m, C) their labels.

    Returns:
        ``measure``, ``better`` ("higher" or "lower"), ``arms`` with the value of each seed, three intervals,
        of which positive is better (``gain`` and ``loss_gain`` over seeds, ``gain_over_examples``), and
        ``verdict``: +1 or −1 where both intervals of the gain lie on that side of zero, else 0.
    """
    number = problem.target == "number"
    scores, losses = {}, {}  # by arm (s, m)
    for name, found in outputs.items():
        scores[name] = np.stack([problem.rightness(one, targets) for one in found])
        losses[name] = np.stack([problem.losses(one, targets) for one in found])
    sign = -1.0 if number else 1.0
    arms = []
    for name, right in scores.items():
        values = sign * right.mean(axis=1)
        arms.append(
            {
                "name": name,
                "values": values.tolist(),
                **over_seeds(values).as_dict(),
                "loss": float(losses[name].mean()),
            }
        )
    difference = scores["decided"] - scores["given"]
    lowered = losses["given"].mean(axis=1) - losses["decided"].mean(axis=1)
    gain, of_examples = over_seeds(difference.mean(axis=1)), over_examples(difference.mean(axis=0))
    return {
        "measure": MEASURES[problem.target],
        "better": "lower" if number else "higher",
        "arms": arms,
        "gain": gain.as_dict(),
        "gain_over_examples": of_examples.as_dict(),
        "verdict": gain.sign if gain.sign == of_examples.sign else 0,
        "loss_gain": over_seeds(lowered).as_dict(),
    }


def _arms(subject: Subject, changes: Changes, settings: RetrainSettings) -> dict[str, Labels]:
    dataset = subject.dataset
    given = given_targets(dataset, "train")
    stay, decided = changes.applied(dataset)
    found = {
        "given": Labels(has_target(given), given),
        "decided": Labels(stay & has_target(decided), decided),
    }
    truth = subject.truth()
    if truth and settings.how == LAST_LAYER and dataset.target == "class":
        right = given.copy()
        for row, name in truth.items():
            right[row] = dataset.classes.index(name)
        found["true"] = Labels(has_target(right), right)
    return found


def _by_class(
    subject: Subject, problem: Problem, outputs: dict[str, list[Floats]], targets: Targets
) -> list[dict[str, Any]]:
    """Of each class the share that is right in each arm, mean over seeds; nothing for numbers."""
    entries = []
    for place, name in enumerate(subject.dataset.classes):
        entry: dict[str, Any] = {"class": name}
        for arm in ("given", "decided"):
            right = np.mean([_right(problem, one, targets, place) for one in outputs[arm]], axis=0)
            entry |= {"examples": len(right), arm: float(right.mean()) if len(right) else None}
        if entry["examples"]:
            entries.append(entry)
    return entries


def _right(problem: Problem, outputs: Floats, targets: Targets, place: int) -> npt.NDArray[np.float64]:
    """1 where a held-out example of class ``place`` (or, of several labels, that label of any) is right."""
    if problem.target == "class":
        return np.asarray(problem.rightness(outputs, targets)[targets == place])
    return np.asarray((outputs[:, place] > 0) == (targets[:, place] > 0.5), dtype=np.float64)

"""The planted-noise self-test: how many wrong labels an audit of these data finds, where it is known which.

Some labels of a copy are changed, a model is trained on the copy, and the training examples are ranked as
everywhere. Labels of the data that were wrong already rank high too and count as misses here, so the figures
are rather too low than too high.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.explore import recovery, suspects
from tracin_viz.explore.intervals import over_seeds
from tracin_viz.explore.planting import plant
from tracin_viz.jobs.evidence_settings import SelfTestSettings
from tracin_viz.jobs.subject import Subject
from tracin_viz.jobs.trainers import Labels, LastLayer, Measured, Trainer, trainer
from tracin_viz.relabel.changes import Changes, has_target

OnProgress = Callable[[int, int, str], None]
Floats = npt.NDArray[np.float64]

#: Percent of the training examples looked at, beside the planted percentage itself.
LOOKED_AT = (5.0, 10.0, 20.0)
POINTS = 51
_STEPS = 100


def self_test(
    subject: Subject, changes: Changes, settings: SelfTestSettings, on_progress: OnProgress
) -> dict[str, Any]:
    """Plant wrong labels and look for them; the document of ``Audit.self_test``.

    Args:
        subject: The audit; its decisions so far are part of the copy.
        changes: Those decisions.
        settings: How many labels are changed, how the copy is trained, how often.
        on_progress: Told hundredths of repetitions done and to do; may raise to stop.

    Raises:
        InputError: That many labels cannot be changed.
    """
    stay, targets = changes.applied(subject.dataset)
    copy = Labels(stay & has_target(targets), targets)
    training = trainer(subject, settings.how)
    names = ["self-influence", "aum", "loss"]
    if subject.dataset.target == "number":
        names.remove("aum")  # the margin of a number is its distance, which is the loss again
    found: dict[str, list[tuple[Floats, npt.NDArray[np.bool_]]]] = {name: [] for name in names}
    total = _STEPS * settings.seeds
    for seed in range(settings.seeds):
        message = f"Repetition {seed + 1} of {settings.seeds}"
        on_progress(_STEPS * seed, total, message)

        def on_share(share: float, done: int = _STEPS * seed, message: str = message) -> None:
            on_progress(done + round(_STEPS * share), total, message)

        measured, planted = _one(subject, training, copy, settings, seed, on_share)
        for name in names:
            found[name].append((_scores(name, measured), planted))
    at = sorted({settings.noise, *LOOKED_AT})
    return {
        "audit": subject.record.name,
        "kind": "self-test",
        "how": settings.how,
        "noise": settings.noise,
        "plant": settings.plant,
        "seeds": settings.seeds,
        "training": int(copy.stay.sum()),
        "planted": int(found[names[0]][0][1].sum()),
        "changes": {"relabelled": changes.relabelled, "excluded": changes.excluded},
        "fractions": np.linspace(0, 1, POINTS).tolist(),
        "curves": {name: _curve(runs) for name, runs in found.items()},
        "at": [
            {
                "percent": percent,
                "random": percent / 100,
                **{
                    name: over_seeds([recovery.share_at(s, p, percent / 100) for s, p in runs]).as_dict()
                    for name, runs in found.items()
                },
            }
            for percent in at
        ],
        "auroc": {
            name: over_seeds([recovery.auroc(scores, planted) for scores, planted in runs]).as_dict()
            for name, runs in found.items()
        },
    }


def _one(
    subject: Subject,
    training: Trainer,
    copy: Labels,
    settings: SelfTestSettings,
    seed: int,
    on_share: Callable[[float], None],
) -> tuple[Measured, npt.NDArray[np.bool_]]:
    """One copy with wrong labels: what its training tells, and which of the rows that stay are planted."""
    outputs = None
    if settings.plant == "confused" and subject.dataset.target == "class":
        guess = training if isinstance(training, LastLayer) else LastLayer(subject)
        outputs = guess.guessed(copy, seed)[copy.stay]
    wrong, rows = plant(
        copy.targets[copy.stay],
        settings.noise,
        seed=seed,
        classes=len(subject.dataset.classes),
        outputs=outputs,
    )
    targets = copy.targets.copy()
    targets[copy.stay] = wrong
    planted = np.zeros(len(wrong), dtype=bool)
    planted[rows] = True
    return training.measured(Labels(copy.stay, targets), seed, on_share), planted


def _scores(name: str, measured: Measured) -> Floats:
    columns = {column: measured[column] for column in ("self_influence", "loss", "margin")}
    return suspects.scores(name, **columns, learning_rates=measured["learning_rates"])


def _curve(runs: list[tuple[Floats, npt.NDArray[np.bool_]]]) -> dict[str, list[float]]:
    """Mean over the repetitions of the share found, with the lowest and the highest of any repetition."""
    shares = np.stack([recovery.recovery_curve(scores, planted, POINTS)[1] for scores, planted in runs])
    return {
        "mean": shares.mean(axis=0).tolist(),
        "low": shares.min(axis=0).tolist(),
        "high": shares.max(axis=0).tolist(),
    }

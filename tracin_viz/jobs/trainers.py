"""The two ways to train an audit's model with other labels: its last layer, or a demo's whole network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError
from tracin_viz.explore import last_layer
from tracin_viz.explore.last_layer import Floats, Problem, Targets
from tracin_viz.jobs.evidence_settings import FULL
from tracin_viz.jobs.subject import Subject

if TYPE_CHECKING:
    from tracin_viz.demo.again import DemoTraining

OnShare = Callable[[float], None]
Mask = npt.NDArray[np.bool_]
Measured = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Labels:
    """Labels of the training split in one arm of a comparison.

    Attributes:
        stay: (N,) which examples are trained on.
        targets: (N,) or (N, C) their labels.
    """

    stay: Mask
    targets: Targets


class Trainer(ABC):
    """Trains on the training split of an audit with other labels.

    Args:
        subject: The audit.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        dataset = subject.dataset
        self.problem = Problem(dataset.target, len(dataset.classes) or 1)

    @abstractmethod
    def outputs(self, labels: Labels, seed: int, rows: npt.NDArray[np.int64], on_share: OnShare) -> Floats:
        """Outputs (m, C) on rows of the held-out split after a training.

        Args:
            labels: What is trained on.
            seed: Of the training.
            rows: Rows of the held-out split.
            on_share: Told the share of the training done; may raise to stop.
        """

    @abstractmethod
    def measured(self, labels: Labels, seed: int, on_share: OnShare) -> Measured:
        """What ``suspects.scores`` takes, of the rows that stay (see ``last_layer.measured``)."""


class LastLayer(Trainer):
    """The last layer on the embeddings of the newest checkpoint in use."""

    @cached_property
    def _held_out(self) -> Floats:
        subject = self.subject
        train = subject.gradients("train").embedding(-1)
        return last_layer.prepared(train, subject.gradients(subject.held_out).embedding(-1))[1]

    @cached_property
    def _training(self) -> Floats:
        return last_layer.prepared(self.subject.gradients("train").embedding(-1))[0]

    def outputs(self, labels: Labels, seed: int, rows: npt.NDArray[np.int64], on_share: OnShare) -> Floats:
        """See the base."""
        # A linear layer ends at the same place from any first weights: what a seed varies is the data. Both
        # arms draw the same examples, with replacement, and leave out what does not stay.
        count = len(labels.stay)
        drawn = np.sort(np.random.default_rng([seed, 3]).integers(0, count, size=count))
        drawn = drawn[labels.stay[drawn]]
        targets, back = self._scaled(labels.targets[drawn])
        inputs = self._training[drawn]
        layers = last_layer.train(inputs, targets, self.problem, seed=seed, on_share=on_share)
        return back(layers[-1].outputs(self._held_out[rows]))

    def guessed(self, labels: Labels, seed: int) -> Floats:
        """Outputs (N, C) on the training split itself."""
        targets, back = self._scaled(labels.targets[labels.stay])
        layers = last_layer.train(self._training[labels.stay], targets, self.problem, seed=seed)
        return back(layers[-1].outputs(self._training))

    def measured(self, labels: Labels, seed: int, on_share: OnShare) -> Measured:
        """See the base."""
        targets, _ = self._scaled(labels.targets[labels.stay])
        inputs = self._training[labels.stay]
        layers = last_layer.train(inputs, targets, self.problem, seed=seed, on_share=on_share)
        return last_layer.measured(layers, inputs, targets, self.problem)

    def _scaled(self, targets: Targets) -> tuple[Targets, Callable[[Floats], Floats]]:
        """Targets, numbers in units of their spread; and the way back for outputs."""
        if self.problem.target != "number":
            return targets, lambda outputs: outputs
        mean, spread = float(targets.mean()), float(targets.std()) or 1.0
        scaled = ((targets - mean) / spread).astype(np.float32)
        return scaled, lambda outputs: np.asarray(outputs * spread + mean, dtype=np.float32)


class WholeNetwork(Trainer):
    """The whole training of a demo, from its first weights on."""

    @cached_property
    def _training(self) -> DemoTraining:
        from tracin_viz.demo.again import demo_training  # torch takes seconds to load

        found = demo_training(self.subject.dataset)
        if found is None:
            raise InputError(
                f"How the model of audit '{self.subject.record.name}' was trained is not known, so only its "
                "last layer can be trained again.",
                remedy="Leave --full out; or train it yourself on exported labels and create a new audit.",
            )
        return found

    def outputs(self, labels: Labels, seed: int, rows: npt.NDArray[np.int64], on_share: OnShare) -> Floats:
        """See the base."""
        training = self._training
        model = training.train(labels.stay, labels.targets, seed, on_share)
        return training.outputs(model, self.subject.held_out, rows)

    def measured(self, labels: Labels, seed: int, on_share: OnShare) -> Measured:
        """See the base."""
        from tracin_viz.jobs.copies import measured_copy

        data = self.subject.dataset
        return measured_copy(self._training, data, labels.stay, labels.targets, seed, on_share)


def trainer(subject: Subject, how: str) -> Trainer:
    """The trainer that ``how`` (of ``evidence_settings.HOWS``) names."""
    return WholeNetwork(subject) if how == FULL else LastLayer(subject)

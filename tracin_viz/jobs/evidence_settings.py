"""What can be asked about whether decisions help, as plain values that travel from a page to a job."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, Self

from tracin_viz.errors import InputError

#: How a model is trained again.
LAST_LAYER, FULL = "last-layer", "full"
HOWS = (LAST_LAYER, FULL)
TESTS = ("all", "wrong")
PLANTS = ("confused", "random")
MOST_SEEDS = 50


class _Settings(ABC):
    """Plain values, checked when they are made."""

    @property
    @abstractmethod
    def variant(self) -> str:
        """What tells answers of one kind apart that people look at side by side."""

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The settings in ``values``."""
        return cls(**values)


@dataclass(frozen=True)
class EstimateSettings(_Settings):
    """What is estimated before retraining.

    Attributes:
        of: Which test examples: ``"all"`` with a label, or those that the model gets ``"wrong"``.
        class_name: Only test examples of this class.
        most: Test examples at most, spread evenly: with more the error bar is narrower than the first-order
            error anyway.
        simulate: Decisions of a simulated annotator, who looks at this percentage of the suspects and knows
            every wrong label, in the place of the real ones.
    """

    of: str = "all"
    class_name: str | None = None
    most: int = 1000
    simulate: float | None = None

    def __post_init__(self) -> None:
        _one_of("Test examples", self.of, TESTS)
        _between("Test examples", self.most, 2, 10**7)
        _check_simulated(self.simulate)

    @property
    def variant(self) -> str:
        """See the base."""
        return f"{self.of} {self.class_name or ''} {_whose(self.simulate)}"


@dataclass(frozen=True)
class RetrainSettings(_Settings):
    """How a model is trained again with and without the decisions.

    Attributes:
        how: ``"last-layer"`` on stored embeddings, or ``"full"`` (demo audits).
        seeds: Trainings of each kind.
        simulate: As in ``EstimateSettings``.
    """

    how: str = LAST_LAYER
    seeds: int = 5
    simulate: float | None = None

    def __post_init__(self) -> None:
        _one_of("Retraining", self.how, HOWS)
        _between("Seeds", self.seeds, 1, MOST_SEEDS)
        _check_simulated(self.simulate)

    @property
    def variant(self) -> str:
        """See the base."""
        return f"{self.how} {_whose(self.simulate)}"


@dataclass(frozen=True)
class SelfTestSettings(_Settings):
    """How wrong labels are planted and looked for.

    Attributes:
        noise: Percent of the labels that are changed.
        how: As in ``RetrainSettings``.
        seeds: Repetitions, each with other wrong labels.
        plant: To what: the class a model ``"confused"`` the example with most, or any (``"random"``).
    """

    noise: float = 5.0
    how: str = LAST_LAYER
    seeds: int = 5
    plant: str = "confused"

    def __post_init__(self) -> None:
        _one_of("Retraining", self.how, HOWS)
        _one_of("Planting", self.plant, PLANTS)
        _between("Seeds", self.seeds, 1, MOST_SEEDS)
        _between("Planted noise in percent", self.noise, 0.01, 50)

    @property
    def variant(self) -> str:
        """See the base."""
        return f"{self.how} {self.plant} {self.noise:g}"


Settings = EstimateSettings | RetrainSettings | SelfTestSettings
#: Settings by kind of question (``store.evidence.KINDS``).
SETTINGS: dict[str, type[EstimateSettings] | type[RetrainSettings] | type[SelfTestSettings]] = {
    "estimate": EstimateSettings,
    "retrain": RetrainSettings,
    "self-test": SelfTestSettings,
}


def _whose(simulate: float | None) -> str:
    return "decided" if simulate is None else f"simulated {simulate:g}"


def _one_of(what: str, value: str, possible: tuple[str, ...]) -> None:
    if value not in possible:
        raise InputError(f"{what}: '{value}' is not known.", remedy=f"Possible: {', '.join(possible)}.")


def _between(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{what}: {value:g} is not possible.", remedy=f"Give {low:g} to {high:g}.")


def _check_simulated(percent: float | None) -> None:
    if percent is not None:
        _between("Percent of the suspects that a simulated annotator looks at", percent, 0.01, 100)

"""What evidence is about: an audit with its results, and the decisions that are to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.config import CheckpointInfo, Home
from tracin_viz.data.dataset import Dataset
from tracin_viz.errors import InputError, NotComputedError
from tracin_viz.explore import suspects
from tracin_viz.relabel.changes import Changes, given_targets, has_target, new_labels, read_changes
from tracin_viz.relabel.events import EventLog, policy_of
from tracin_viz.store import plan as plans
from tracin_viz.store import registry
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.checkpoint_choice import in_use
from tracin_viz.store.database import Database
from tracin_viz.store.parts import GradientSet
from tracin_viz.store.plan import RunPlan
from tracin_viz.store.registry import AuditRecord

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """An audit that is asked whether decisions help.

    Attributes:
        home: The workspace.
        record: The audit.
        dataset: Its data.
        plan: Of the newest run, without the checkpoints that are switched off.
        store: Where its results are.
    """

    home: Home
    record: AuditRecord
    dataset: Dataset
    plan: RunPlan
    store: ArtifactStore

    @classmethod
    def of(cls, home: Home, name: str, *, dataset: Dataset | None = None) -> Subject:
        """The audit called ``name``; its data are opened where the caller has not done that.

        Raises:
            NotComputedError: No finished run.
        """
        record = registry.read(home, name)
        plan = in_use(record, plans.require(home, name))
        store = ArtifactStore(home.artifacts)
        if not all(store.path(key).is_dir() for key in plan.units):
            raise NotComputedError(
                f"The influence of audit '{name}' is not computed yet.",
                remedy=f"Compute it first: on the Compute page, or with tracin-viz compute {name}.",
            )
        return cls(home, record, dataset or registry.open_registered(record), plan, store)

    @property
    def checkpoints(self) -> list[CheckpointInfo]:
        """The checkpoints in use, by rising step."""
        return [self.record.checkpoints[index] for index in self.plan.checkpoints]

    @cached_property
    def held_out(self) -> str:
        """The split with labels that no decision is about.

        Raises:
            InputError: There is none: improvement cannot be measured on the data that were reviewed.
        """
        for name in self.dataset.splits:
            if name != "train" and has_target(given_targets(self.dataset, name)).any():
                return name
        raise InputError(
            f"Audit '{self.record.name}' has no labelled examples beside the training split, so whether "
            "decisions help cannot be measured: not on the data that were reviewed.",
            remedy="Create the audit with a test split, for example --mapping query_fraction=0.2.",
        )

    def test_rows(self, split: str) -> npt.NDArray[np.int64]:
        """Rows of ``split`` that have a label and finite gradients at every checkpoint in use."""
        labelled = has_target(given_targets(self.dataset, split))
        return np.flatnonzero(labelled & self.measured("finite", split).all(axis=0))

    def gradients(self, split: str) -> GradientSet:
        """The gradient units of a split."""
        return GradientSet(self.store, [list(row) for row in self.plan.splits[split].keys])

    def measured(self, column: str, split: str = "train") -> npt.NDArray[Any]:
        """(K, n) of one measured column, by checkpoint in use."""
        found = self.gradients(split)
        return np.stack([found.examples(place)[column].to_numpy() for place in range(found.checkpoints)])

    def changes(self, simulate: float | None = None) -> Changes:
        """What the decisions so far change, or those of a simulated annotator.

        Args:
            simulate: Percent of the training examples, the most suspicious, that an annotator looks at who
                knows every wrong label.

        Raises:
            InputError: The truth is not known, or no decision changes a label.
        """
        if simulate is not None:
            return read_changes(self._simulated(simulate), self.dataset)
        found = self.changes_so_far()
        if not len(found):
            raise InputError(
                f"No decision about audit '{self.record.name}' changes a label or leaves an example out.",
                remedy="Decide about some suspects on the Relabel page first.",
            )
        return found

    def changes_so_far(self) -> Changes:
        """What the decisions so far change; possibly nothing."""
        database = Database(self.home.database)
        try:
            log = EventLog(database, self.record.name, classes=self.record.classes)
            held = log.current(policy_of(database, self.record.name))
            return read_changes(new_labels(held), self.dataset)
        finally:
            database.close()

    def suspicion(self) -> Floats:
        """(N,) self-influence of the training examples, higher = more suspicious."""
        columns = ("self_influence", "loss", "margin")
        return suspects.scores(
            "self-influence",
            **{name: self.measured(name) for name in columns},
            learning_rates=[checkpoint.learning_rate for checkpoint in self.checkpoints],
        )

    def truth(self) -> dict[int, str]:
        """True class by training row of the labels known to be wrong; empty where none are known."""
        path = registry.truth_file(self.home, self.record.name)
        return {} if path is None else registry.read_truth(path)

    def _simulated(self, percent: float) -> dict[int, str | None]:
        truth = self.truth()
        if not truth:
            raise InputError(
                f"Which labels of audit '{self.record.name}' are wrong is not known, so nobody can be "
                "simulated who knows it.",
                remedy="Simulate on the digits demo, whose wrong labels were planted.",
            )
        if not 0 < percent <= 100:
            raise InputError(
                f"An annotator cannot look at {percent:g} % of the data.", remedy="Give 1 to 100."
            )
        looked = suspects.order(self.suspicion())
        looked = looked[: round(len(looked) * percent / 100)]
        return {row: truth[row] for row in looked.tolist() if row in truth}

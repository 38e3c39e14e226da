"""An audit's finished results, read from the store: tables per split, measurements per checkpoint, the map.

Reading is cheap to repeat: tables are kept per process under the keys of the units they come from, so a new
run or another checkpoint set is seen at once and nothing ever has to be thrown away by hand.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from tracin_viz.audit.wording import disagrees, given_words, predicted_words
from tracin_viz.config import Home
from tracin_viz.data.dataset import Dataset
from tracin_viz.errors import NotComputedError
from tracin_viz.explore import suspects
from tracin_viz.store import embedding_map, registry
from tracin_viz.store import plan as plans
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.checkpoint_choice import in_use
from tracin_viz.store.parts import MAP_FILE, GradientSet, read_frame
from tracin_viz.store.plan import RunPlan
from tracin_viz.store.registry import AuditRecord, open_registered

Floats = npt.NDArray[np.float64]
Value = TypeVar("Value")


class Results:
    """What was computed for one audit.

    Args:
        home: The workspace.
        record: The audit.
    """

    def __init__(self, home: Home, record: AuditRecord) -> None:
        self._home = home
        self._record = record
        self._store = ArtifactStore(home.artifacts)

    @property
    def home(self) -> Home:
        """The workspace."""
        return self._home

    @property
    def store(self) -> ArtifactStore:
        """Where what was computed is."""
        return self._store

    def plan(self) -> RunPlan:
        """The plan of the newest run, without the checkpoints that are switched off.

        Raises:
            NotComputedError: No run was started, or no computed checkpoint is in use.
        """
        return in_use(self._record, plans.require(self._home, self._record.name))

    def scores_ready(self) -> bool:
        """Whether every gradient unit of the newest plan is in the store."""
        plan = plans.load(self._home, self._record.name)
        return plan is not None and self._store.present(plan.units) == len(plan.units)

    def map_ready(self) -> bool:
        """Whether the map of the newest plan is in the store."""
        plan = plans.load(self._home, self._record.name)
        return plan is not None and self._store.path(plan.map_key).is_dir()

    def map_current(self) -> bool:
        """Whether the map is of the checkpoints and learning rates that count now."""
        plan = self.plan()
        return plan.map_key == plans.map_key(plan.splits["train"], self.learning_rates())

    def learning_rates(self) -> list[float]:
        """Learning-rate weight of each checkpoint of the plan."""
        return [self._record.checkpoints[index].learning_rate for index in self.plan().checkpoints]

    def gradients(self, split: str) -> GradientSet:
        """The gradient units of ``split``.

        Raises:
            NotComputedError: Some are missing.
        """
        plan = self.plan()
        if not self.scores_ready():
            raise NotComputedError(
                f"The influence of audit '{self._record.name}' is not computed yet.",
                remedy="Look at the Compute page, where it can be started and watched.",
            )
        return GradientSet(self._store, [list(row) for row in plan.splits[split].keys])

    def measured(self, split: str) -> dict[str, npt.NDArray[Any]]:
        """Arrays (K, N) by column: loss, margin, self_influence, other, predicted and more."""
        return self._kept(("measured", split), lambda: self._read_measured(split))

    def examples(self, split: str) -> pd.DataFrame:
        """One row per example of ``split`` (see ``Audit.examples``)."""
        return self._kept(("examples", split), lambda: self._read_examples(split))

    def map(self) -> pd.DataFrame:
        """Coordinates and clusters of the training examples: columns x, y, cluster, membership.

        Raises:
            NotComputedError: The map is not built yet.
        """
        if not self.map_ready():
            raise NotComputedError(
                f"The map of audit '{self._record.name}' is not built yet.",
                remedy="It is the last step of a run; look at the Compute page.",
            )
        folder = self._store.path(self.plan().map_key)
        return self._kept(("map",), lambda: read_frame(folder / MAP_FILE))

    def embedding_map_ready(self) -> bool:
        """Whether the map of embeddings of the checkpoints in use is in the store."""
        return self.scores_ready() and self._store.path(embedding_map.key(self.plan())).is_dir()

    def embedding_map(self) -> pd.DataFrame:
        """Like ``map``, by the embeddings of the last checkpoint instead of influence vectors.

        Raises:
            NotComputedError: It was not drawn yet.
        """
        if not self.embedding_map_ready():
            raise NotComputedError(
                f"The map of embeddings of audit '{self._record.name}' is not drawn yet.",
                remedy="Draw it on the Clusters page.",
            )
        folder = self._store.path(embedding_map.key(self.plan()))
        return self._kept(("embedding map",), lambda: read_frame(folder / MAP_FILE))

    def dataset(self) -> Dataset:
        """The audit's data, with its labels in the audit's class order."""
        return _dataset(self._record)

    def truth(self) -> dict[int, str] | None:
        """True class by row of the training split, for labels known to be wrong; ``None`` where unknown."""
        path = registry.truth_file(self._home, self._record.name)
        return None if path is None else _truth(path, path.stat().st_mtime_ns)

    def _read_measured(self, split: str) -> dict[str, npt.NDArray[Any]]:
        gradients = self.gradients(split)
        tables = [gradients.examples(place) for place in range(gradients.checkpoints)]
        names = (
            "loss",
            "margin",
            "self_influence",
            "other",
            "other_probability",
            "predicted",
            "value",
            "probability",
            "finite",
        )
        return {name: np.stack([table[name].to_numpy() for table in tables]) for name in names}

    def _read_examples(self, split: str) -> pd.DataFrame:
        last = {name: values[-1] for name, values in self.measured(split).items()}
        dataset, target = self.dataset(), self._record.target
        rows = dataset.splits[split]
        predicted, value = last["predicted"], last["value"]
        table = pd.DataFrame(
            {
                "id": [f"{split}:{row}" for row in range(len(predicted))],
                "row": np.arange(len(predicted)),
                "source": _words(rows.sources),
                "label": given_words(dataset, split),
                "predicted": predicted_words(target, self._record.classes, predicted, value),
                "confidence": last["probability"],
                "loss": last["loss"],
                "margin": last["margin"],
            }
        )
        table["wrong"] = disagrees(target, rows.labels, predicted, value)
        if split == "train":
            table["self_influence"] = self.suspect_scores("self-influence")
            table["percentile"] = suspects.percentiles(table["self_influence"].to_numpy())
        return table

    def suspect_scores(self, ranking: str) -> Floats:
        """(N,) scores of the training examples, higher = more suspicious, NaN where not measurable."""
        measured = self.measured("train")
        return suspects.scores(
            ranking,
            self_influence=measured["self_influence"],
            loss=measured["loss"],
            margin=measured["margin"],
            learning_rates=self.learning_rates(),
        )

    def kept_value(self, name: str, compute: Callable[[], Value]) -> Value:
        """``compute()``, remembered for as long as the results stay the same."""
        return self._kept(("value", name), compute)

    def _kept(self, what: tuple[str, ...], read: Callable[[], Value]) -> Value:
        plan = self.plan()
        key = (
            str(self._home.root),
            self._record.name,
            self._record.version(),
            plan.digest,
            *what,
        )
        if key not in _KEPT:
            while len(_KEPT) >= _KEEP:
                _KEPT.pop(next(iter(_KEPT)), None)
            _KEPT[key] = read()
        kept: Value = _KEPT[key]
        return kept


def _words(words: Sequence[str]) -> pd.Series:
    try:
        return pd.Series(list(words), dtype="str")  # a third of the memory of objects
    except UnicodeEncodeError:
        # A file name that is not valid text holds surrogates, which only objects can.
        return pd.Series(list(words), dtype=object)


@functools.lru_cache(maxsize=8)
def _truth(path: Path, _changed: int) -> dict[int, str]:
    """Read once per state of the file: pages ask at every rerun."""
    return registry.read_truth(path)


_KEEP_OPEN = 8  # data sets: names and labels
_KEEP = 24  # tables of a few audits; each is about 100 bytes per example and checkpoint
_KEPT: dict[tuple[Any, ...], Any] = {}


_OPEN: dict[tuple[str, float], Dataset] = {}


def _dataset(record: AuditRecord) -> Dataset:
    # The time of creation tells an audit that was made again, over changed files, from the one before.
    key = (record.data, record.created)
    if key not in _OPEN:
        while len(_OPEN) >= _KEEP_OPEN:
            _OPEN.pop(next(iter(_OPEN)), None)
        _OPEN[key] = open_registered(record)
    return _OPEN[key]

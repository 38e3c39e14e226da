"""What other labels of some training examples would have done to the loss of test examples, to first order.

Training with the label ``new`` instead of ``old`` on example x replaces the steps −η_i g_i(x, old) by
−η_i g_i(x, new). To first order the loss of a test example z' then falls by

    Σ_i η_i ⟨g_i(z'), g_i(x, new) − g_i(x, old)⟩

more than it did (TracInCP, Pruthi et al. 2020, §3.3, applied to both labels); an example that is left out
contributes −g_i(x, old) alone. Gradients are linear, so all changes together are one weighted group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.engine.batches import length
from tracin_viz.engine.groups import Groups
from tracin_viz.engine.influence import InfluenceEngine
from tracin_viz.engine.session import OnBatch
from tracin_viz.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelledChanges:
    """Training examples with the labels that count for and against.

    Attributes:
        examples: Data set of (inputs, target), m pairs; an example stands in it once with each label.
        signs: (m,) +1 for a new label, −1 for an old one.
        change: (m,) which change each pair belongs to, 0 … changes − 1.
    """

    examples: Any
    signs: Floats
    change: npt.NDArray[np.int64]


@dataclass(frozen=True)
class FirstOrder:
    """The estimate; positive = the changes lower the loss.

    Attributes:
        tests: (n,) by how much all changes together lower the loss of each test example.
        changes: (changes,) by how much each change lowers the mean loss of the test examples; NaN where a
            gradient of the example is not finite: it is left out of ``tests``.
    """

    tests: Floats
    changes: Floats


def first_order(
    engine: InfluenceEngine, tests: Any, changed: LabelledChanges, *, on_batch: OnBatch | None = None
) -> FirstOrder:
    """The first-order effect of ``changed`` on the losses of ``tests``.

    Args:
        engine: Checkpoints with their weights η_i; must record what is not finite
            (``on_nonfinite="record"``).
        tests: Data set of (inputs, target), n test examples with finite gradients.
        changed: What changes.
        on_batch: Told after each batch how many gradients were computed so far; of about
            ``steps(engine, tests, changed)``; may raise.

    Raises:
        InputError: Nothing changes, or a test example has no finite gradient.
    """
    pairs, count = len(changed.signs), length(tests)
    if not pairs or not count:
        raise InputError(
            f"There are {pairs} changed labels and {count} test examples: there is nothing to estimate.",
            remedy="Decide about some examples first.",
        )
    done = [0]

    def progress(number: int) -> None:
        if on_batch is not None:
            on_batch(done[0] + number)

    everyone = Groups(tests, [range(count)])
    each = engine.influence(changed.examples, everyone, on_batch=progress)[0]  # (m,)
    if np.isnan(each).all():
        raise InputError(
            "The gradient of a test example, or of every changed one, is not a finite number.",
            remedy="Switch off the checkpoint that diverged, or choose other test examples.",
        )
    done[0] += pairs * len(engine.checkpoints)
    # NaN spreads to the whole change that a pair belongs to.
    changes = np.bincount(changed.change, weights=changed.signs * each).astype(np.float64)
    used = np.flatnonzero(np.isfinite(changes)[changed.change])
    values = np.full(count, np.nan)
    if len(used):
        group = Groups(changed.examples, [used.tolist()], [changed.signs[used].tolist()])
        values = engine.influence(tests, group, on_batch=progress)[0]  # (n,)
    return FirstOrder(values, changes)


def steps(engine: InfluenceEngine, tests: Any, changed: LabelledChanges) -> int:
    """Gradients of single examples that ``first_order`` streams, for its progress."""
    return (length(tests) + len(changed.signs)) * len(engine.checkpoints)

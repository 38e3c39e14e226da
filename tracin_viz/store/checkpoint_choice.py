"""Which checkpoints of an audit count, and how much: chosen by a person after the fact, without recomputing.

Gradient units are stored unweighted (DESIGN §2), so a learning rate is a number in the audit's record and a
switched-off checkpoint is one that readers of the plan pass over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tracin_viz.config import CheckpointInfo
from tracin_viz.errors import InputError, NotComputedError
from tracin_viz.store.plan import RunPlan, SplitPlan
from tracin_viz.store.registry import AuditRecord

#: How the provenance of a rate begins that a person typed.
BY_HAND = "set by hand"


def weighted(record: AuditRecord, found: Sequence[CheckpointInfo]) -> tuple[CheckpointInfo, ...]:
    """The checkpoints ``found`` in the model's files, with the learning rates that the audit gives them."""
    chosen = {checkpoint.step: checkpoint for checkpoint in record.checkpoints}
    return tuple(
        replace(one, learning_rate=chosen[one.step].learning_rate, provenance=chosen[one.step].provenance)
        if one.step in chosen
        else one
        for one in found
    )


def used(record: AuditRecord, chosen: Sequence[int]) -> tuple[int, ...]:
    """Those of the ``chosen`` places among the checkpoints that are not switched off.

    Raises:
        InputError: None of them is left.
    """
    off = set(record.unused)
    kept = tuple(index for index in chosen if record.checkpoints[index].step not in off)
    if not kept:
        raise InputError(
            f"All chosen checkpoints of audit '{record.name}' are switched off.",
            remedy="Switch one on in the table of checkpoints, or choose others.",
        )
    return kept


def in_use(record: AuditRecord, plan: RunPlan) -> RunPlan:
    """The plan without the checkpoints that are switched off.

    Raises:
        NotComputedError: None of the computed checkpoints is left.
    """
    off = set(record.unused)
    kept = [
        place
        for place, index in enumerate(plan.checkpoints)
        if index >= len(record.checkpoints) or record.checkpoints[index].step not in off
    ]
    if len(kept) == len(plan.checkpoints):
        return plan
    if not kept:
        raise NotComputedError(
            f"Every computed checkpoint of audit '{record.name}' is switched off.",
            remedy="Switch one on in the table of checkpoints on the Compute page, or compute again.",
        )
    splits = {
        name: SplitPlan(split.shards, tuple(split.keys[place] for place in kept))
        for name, split in plan.splits.items()
    }
    return replace(plan, checkpoints=tuple(plan.checkpoints[place] for place in kept), splits=splits)


def edited(record: AuditRecord, rows: Sequence[Mapping[str, Any]]) -> AuditRecord:
    """The record with the choices in ``rows``; checkpoints that no row names stay as they are.

    Args:
        record: The audit.
        rows: ``{"step": …, "use": bool, "learning_rate": float}``; the last two may be missing.

    Raises:
        InputError: An unknown step, a rate that is no positive number, or nothing would be left in use.
    """
    by_step = {checkpoint.step: checkpoint for checkpoint in record.checkpoints}
    off = set(record.unused)
    for row in rows:
        step = row.get("step")
        if step not in by_step:
            raise InputError(
                f"Audit '{record.name}' has no checkpoint of step {step}.",
                remedy=f"Its steps: {', '.join(map(str, by_step))}.",
            )
        one = by_step[step]
        rate = row.get("learning_rate", one.learning_rate)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
            raise InputError(
                f"The learning rate of step {step} is {rate}.",
                remedy="Give a number above 0; to leave a checkpoint out, switch it off.",
            )
        if float(rate) != one.learning_rate:
            origin = one.provenance.split(f"; {BY_HAND}")[0]
            by_step[step] = replace(one, learning_rate=float(rate), provenance=f"{origin}; {BY_HAND}")
        if not row.get("use", step not in off):
            off.add(step)
        else:
            off.discard(step)
    if off >= set(by_step):
        raise InputError("Every checkpoint is switched off.", remedy="Leave at least one on.")
    return replace(record, checkpoints=tuple(by_step.values()), unused=tuple(sorted(off)))

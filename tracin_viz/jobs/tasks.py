"""Which unit is measured next, and by whom: a board that the workers of a run share."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from tracin_viz.store.plan import RunPlan


@dataclass(frozen=True)
class Task:
    """One gradient unit to be measured: a shard of a split at one checkpoint.

    Attributes:
        key: Artifact key of the unit.
        split: Name of the split.
        start: First row of the shard.
        stop: One past its last row.
        place: Place of the checkpoint in the plan.
    """

    key: str
    split: str
    start: int
    stop: int
    place: int

    @property
    def shard(self) -> tuple[str, int]:
        """Tasks of one shard read the same examples."""
        return self.split, self.start

    def __len__(self) -> int:
        return self.stop - self.start


def tasks_of(plan: RunPlan) -> list[Task]:
    """All units of ``plan``, each key once, in the order in which one worker does them.

    Shards are the outer loop, so that each example is read from its file once for all checkpoints. Query
    splits come first: they are small, and a damaged one is then noticed early.
    """
    found: dict[str, Task] = {}
    for name, split in sorted(plan.splits.items(), key=lambda pair: pair[0] == "train"):
        for shard, (start, stop) in enumerate(split.shards):
            for place, row in enumerate(split.keys):
                found.setdefault(row[shard], Task(row[shard], name, start, stop, place))
    return list(found.values())


class Board:
    """The tasks of a run, handed out to workers. Every method may be called from any thread.

    A worker stays with its shard while that has tasks, because it has those examples in memory; then it takes
    a shard that nobody has, and at the end it helps with the one that has most left.

    Args:
        tasks: What is to be measured.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._open = list(tasks)
        self._taken: set[str] = set()
        self._owner: dict[tuple[str, int], str] = {}
        self._examples = sum(len(task) for task in self._open)
        self._failure: BaseException | None = None
        self._changed = threading.Condition()

    def take(self, worker: str) -> Task | None:
        """A task for ``worker``; ``None`` where none is left, or the run has failed."""
        with self._changed:
            return self._take(worker)

    def wait(self, worker: str, seconds: float) -> Task | None:
        """As ``take``, after waiting up to ``seconds`` for a task that another worker gives back."""
        with self._changed:
            task = self._take(worker)
            if task is None and not self._is_over():
                self._changed.wait(seconds)
                task = self._take(worker)
            return task

    def is_over(self) -> bool:
        """Whether every task is done.

        Raises:
            BaseException: What a worker failed with.
        """
        with self._changed:
            if self._failure is not None:
                raise self._failure
            return self._is_over()

    def done(self, task: Task) -> None:
        """Note that the unit of ``task`` is in the store."""
        with self._changed:
            self._taken.discard(task.key)
            self._examples -= len(task)
            self._changed.notify_all()

    def give_back(self, task: Task) -> None:
        """Put back what a worker could not finish because it ended."""
        with self._changed:
            self._taken.discard(task.key)
            self._owner.pop(task.shard, None)
            self._open.insert(0, task)
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Stop handing out: a task cannot be done by anybody."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    def examples_left(self) -> int:
        """Examples, counted once per checkpoint, whose units are not in the store yet."""
        with self._changed:
            return self._examples

    def open_tasks(self) -> int:
        """Tasks that nobody has taken."""
        with self._changed:
            return len(self._open)

    def _is_over(self) -> bool:
        return not self._open and not self._taken

    def _take(self, worker: str) -> Task | None:
        if self._failure is not None or not self._open:
            return None
        task = self._next(worker)
        self._open.remove(task)
        self._taken.add(task.key)
        self._owner.setdefault(task.shard, worker)
        return task

    def _next(self, worker: str) -> Task:
        for task in self._open:
            if self._owner.get(task.shard) == worker:
                return task
        for task in self._open:
            if task.shard not in self._owner:
                return task
        left: dict[tuple[str, int], int] = {}
        for task in self._open:
            left[task.shard] = left.get(task.shard, 0) + len(task)
        most = max(left, key=left.__getitem__)
        # From the back: its owner works on it from the front.
        return next(task for task in reversed(self._open) if task.shard == most)

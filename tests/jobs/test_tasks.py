"""The board of a run: every task is done once, whoever takes it, and shards stay with their worker."""

from __future__ import annotations

import random
import threading

import pytest

from tracin_viz.config import ResultSettings
from tracin_viz.jobs.tasks import Board, Task, tasks_of
from tracin_viz.store.plan import RunPlan, SplitPlan


def plan(checkpoints: int = 3) -> RunPlan:
    def keys(split: str, shards: int) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(f"{split}-{s}-{c}" for s in range(shards)) for c in range(checkpoints))

    splits = {
        "train": SplitPlan(((0, 10), (10, 20), (20, 25)), keys("train", 3)),
        "test": SplitPlan(((0, 4),), keys("test", 1)),
    }
    return RunPlan(ResultSettings(), tuple(range(checkpoints)), splits, "map", 4, 1, "cpu")


def test_query_splits_come_first_and_shards_are_the_outer_loop():
    order = [task.key for task in tasks_of(plan(2))]
    assert order[:4] == ["test-0-0", "test-0-1", "train-0-0", "train-0-1"]
    assert sorted(order) == sorted(plan(2).units)


def test_units_of_equal_content_are_one_task():
    same = SplitPlan(((0, 10),), (("one",), ("one",)))
    twice = RunPlan(ResultSettings(), (0, 1), {"train": same}, "map", 4, 1, "cpu")
    assert [task.key for task in tasks_of(twice)] == ["one"]


def test_a_worker_stays_with_its_shard_and_helps_at_the_end():
    board = Board(tasks_of(plan()))
    first = [board.take("a") for _ in range(3)]
    second = [board.take("b") for _ in range(3)]
    assert {task.shard for task in first} == {("test", 0)}
    assert {task.shard for task in second} == {("train", 0)}
    assert board.take("a").shard == ("train", 10)
    assert board.take("b").shard == ("train", 20)
    helped = [board.take("c") for _ in range(2)]
    assert [task.key for task in helped] == ["train-1-2", "train-1-1"]  # the most left, from its end


def test_many_workers_do_every_task_once():
    tasks = tasks_of(plan(40))
    board, done = Board(tasks), []

    def work(name: str) -> None:
        generator = random.Random(name)
        while (task := board.take(name)) is not None:
            if generator.random() < 0.2:
                board.give_back(task)
                continue
            done.append(task.key)
            board.done(task)

    threads = [threading.Thread(target=work, args=(f"worker {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while (task := board.take("last")) is not None:  # given back after the others had left
        done.append(task.key)
        board.done(task)
    assert sorted(done) == sorted(task.key for task in tasks)
    assert board.is_over()
    assert board.examples_left() == 0


def test_a_task_that_is_given_back_wakes_who_waits():
    task = Task("key", "train", 0, 5, 0)
    board = Board([task])
    assert board.take("a") is task
    threading.Timer(0.05, board.give_back, [task]).start()
    assert board.wait("b", 60.0) is task
    assert not board.is_over()


def test_nothing_is_handed_out_after_a_failure_and_the_failure_is_raised():
    board = Board(tasks_of(plan()))
    board.fail(ValueError("the model is broken"))
    assert board.take("a") is None
    with pytest.raises(ValueError, match="broken"):
        board.is_over()

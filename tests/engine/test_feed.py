"""Reading ahead: the same batches in the same order as reading one after the other, and no thread left."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from tests.jobs.processes import wait_until
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.engine.batches import even
from tracin_viz.engine.feed import Feed, Source
from tracin_viz.errors import InputError

CPU = torch.device("cpu")


class Recorded(Dataset):
    """Counts who reads what."""

    def __init__(self, count: int = 20, broken: int = -1) -> None:
        generator = torch.Generator().manual_seed(2)
        self.inputs = torch.randn(count, 5, generator=generator)
        self.broken, self.read, self.threads = broken, [], set()

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, row: int):
        if row == self.broken:
            raise InputError(f"file {row} is damaged")
        self.read.append(row)
        self.threads.add(threading.current_thread().name)
        return self.inputs[row], row % 3


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "reader"]


def engine(**options) -> InfluenceEngine:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    state = {name: value.clone() for name, value in model.state_dict().items()}
    return InfluenceEngine(model, [Checkpoint(state, 0.1)], device="cpu", batch_size=4, **options)


def test_batches_read_ahead_equal_batches_read_when_asked_for():
    rows = np.array([3, 1, 4, 15, 9, 2, 6, 5, 8])
    with_thread, without = (Feed(Source(Recorded(), None, CPU, None), rows, ahead=n) for n in (2, 0))
    for first in range(0, len(rows), 4):
        a, b = with_thread.take(first, 4), without.take(first, 4)
        assert a.rows.tolist() == b.rows.tolist() == rows[first : first + 4].tolist()
        assert torch.equal(a.inputs, b.inputs) and torch.equal(a.targets, b.targets)
    with_thread.close()


def test_the_next_batch_is_read_while_this_one_is_worked_on():
    data = Recorded()
    feed = Feed(Source(data, None, CPU, None), np.arange(20), ahead=1)
    feed.take(0, 4)
    wait_until(lambda: len(data.read) >= 8)
    assert data.read[:8] == list(range(8))  # nobody has asked for the second four yet
    feed.close()
    assert not readers()


def test_no_more_is_read_than_was_allowed():
    data = Recorded(200)
    feed = Feed(Source(data, None, CPU, None), np.arange(200), ahead=2)
    for place in range(5):
        feed.take(4 * place, 4)
        assert len(data.read) <= 4 * (place + 1 + 2 + 1)  # two wait, one is in the thread's hands
    feed.close()


def test_another_size_goes_on_from_the_same_place():
    feed = Feed(Source(Recorded(), None, CPU, None), np.arange(20))
    taken = [feed.take(0, 8), feed.take(0, 4), feed.take(4, 4), feed.take(8, 2)]
    assert [batch.rows.tolist() for batch in taken] == [[*range(8)], [*range(4)], [4, 5, 6, 7], [8, 9]]
    feed.close()
    assert not readers()


def test_a_damaged_example_is_reported_by_the_batch_that_needs_it_and_no_thread_stays():
    with pytest.raises(InputError, match="file 9 is damaged"):
        engine().measure(Recorded(broken=9), 0)
    assert not readers()


def test_an_error_between_batches_ends_the_thread():
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine().measure(Recorded(400), 0, on_batch=stop)
    assert not readers()


def test_data_are_read_by_one_thread_at_a_time_or_by_the_callers():
    data = Recorded()
    ahead = engine().self_influence(data)
    assert data.threads == {"MainThread", "reader"}  # the start check reads three examples itself
    alone = Recorded()
    assert np.array_equal(engine(read_ahead=0).self_influence(alone), ahead)
    assert alone.threads == {"MainThread"}


def test_a_sweep_that_outlives_its_session_closes_without_a_sound():
    subject = engine()
    session = subject._session
    with session.open():
        session.prepare(Recorded(), subject.checkpoints[0])
        sweep = session.sweep(Recorded(), np.arange(20), len)
        next(sweep)
    assert not readers()
    sweep.close()


@pytest.mark.parametrize(
    ("count", "size", "used"), [(300, 64, 60), (80, 64, 40), (10, 64, 10), (7, 1, 1), (0, 4, 1)]
)
def test_batches_are_of_even_size_and_no_more_than_needed(count, size, used):
    assert even(count, size) == used
    assert -(-count // used) == -(-count // size)

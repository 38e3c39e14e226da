"""How many processes and threads a run takes, and what is said where a device is missing."""

from __future__ import annotations

import pytest

from tracin_viz.config import SpeedSettings
from tracin_viz.errors import InputError
from tracin_viz.jobs.devices import PROCESS_BYTES, Machine, check_workers

GIB = 1 << 30
SMALL = Machine(cores=2, memory=16 * GIB)
LARGE = Machine(cores=16, memory=64 * GIB)
GPUS = Machine(cores=32, memory=256 * GIB, gpus=("H200", "H200"))
MAC = Machine(cores=10, memory=8 * GIB, mps=True)


def test_auto_takes_the_fastest_device():
    assert [machine.chosen("auto") for machine in (SMALL, GPUS, MAC)] == ["cpu", "cuda", "mps"]
    assert GPUS.chosen("cuda:1") == "cuda:1"
    assert GPUS.chosen("cpu") == "cpu"


@pytest.mark.parametrize(
    ("machine", "device", "there"),
    [
        (SMALL, "cuda", "cpu with 2 cores"),
        (GPUS, "cuda:2", r"cuda:0 \(H200\), cuda:1"),
        (SMALL, "mps", "cpu"),
    ],
)
def test_a_missing_device_is_refused_with_what_there_is(machine, device, there):
    with pytest.raises(InputError, match=rf"'{device}' was asked for.*{there}.*--device auto"):
        machine.chosen(device)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", "cuda:0,1", ""])
def test_a_device_that_is_no_device_is_refused_before_anything_is_loaded(device):
    with pytest.raises(InputError, match="cuda:0"):
        SpeedSettings(device=device)


def test_one_process_per_gpu_and_per_core_but_no_more_than_units_and_memory_allow():
    assert SMALL.most_workers("cpu", model_bytes=1 << 20, units=30) == 2
    assert LARGE.most_workers("cpu", model_bytes=1 << 20, units=30) == 16
    assert LARGE.most_workers("cpu", model_bytes=1 << 20, units=3) == 3
    assert GPUS.most_workers("cuda", model_bytes=1 << 20, units=30) == 2
    assert GPUS.most_workers("cuda:1", model_bytes=1 << 20, units=30) == 1
    assert MAC.most_workers("mps", model_bytes=1 << 20, units=30) == 1
    full = Machine(cores=16, memory=PROCESS_BYTES)
    assert full.most_workers("cpu", model_bytes=1 << 20, units=30) == 1
    assert LARGE.most_workers("cpu", model_bytes=2 * GIB, units=30) < 16


def test_processes_and_threads_never_need_more_cores_than_there_are():
    for cores in (1, 2, 3, 4, 8, 17, 64):
        machine = Machine(cores=cores, memory=None)
        for workers in range(1, cores + 1):
            threads = machine.threads(workers)
            assert threads >= 1 and workers * threads <= cores
            if threads > 1:
                assert workers * threads < cores  # a core stays free where there are barriers


def test_each_gpu_gets_its_process():
    assert GPUS.devices("cuda", 2) == ["cuda:0", "cuda:1"]
    assert GPUS.devices("cuda:1", 1) == ["cuda:1"]
    assert LARGE.devices("cpu", 3) == ["cpu"] * 3


def test_more_processes_than_the_device_takes_are_refused():
    check_workers(SpeedSettings(workers=2), GPUS)
    check_workers(SpeedSettings(device="cpu", workers=3), SMALL)
    for speed in (SpeedSettings(workers=3), SpeedSettings(device="cuda:1", workers=2)):
        with pytest.raises(InputError, match="at most"):
            check_workers(speed, GPUS)
    with pytest.raises(InputError, match="at most 8"):
        check_workers(SpeedSettings(workers=100), SMALL)


def test_this_machine_is_described():
    here = Machine.here()
    assert here.cores >= 1
    assert "cpu" in here.described()

"""Looks at data and models in processes of their own: what they find, what they meet, how they end."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.conftest import TinyFiles
from tracin_viz.errors import CancelledError, InputError, JobError
from tracin_viz.jobs import looking
from tracin_viz.jobs.fit_run import fit_run
from tracin_viz.jobs.inspect_run import inspected
from tracin_viz.jobs.inspector import inspect
from tracin_viz.jobs.looking import look

pytestmark = pytest.mark.usefixtures("looked_elsewhere")


def as_json(found: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(found))
    return read


def test_a_process_finds_in_data_what_its_code_finds(tiny_files: TinyFiles):
    request = {"path": str(tiny_files.data), "mapping": None, "limit": 4}
    assert look("data", request) == as_json(looking.look_at_data(request))


@pytest.mark.long
def test_a_process_finds_in_a_model_what_its_code_finds(tiny_files: TinyFiles):
    request = {"path": str(tiny_files.model), "checkpoints": "checkpoint-[48]"}
    found = inspect(tiny_files.model, checkpoints="checkpoint-[48]")
    assert found == as_json(inspected(request))
    assert [one["step"] for one in found["checkpoints"]] == [4, 8]


def test_a_process_tries_a_model_on_data_as_its_code_does(tiny_files: TinyFiles):
    request = {"path": str(tiny_files.model), "data": str(tiny_files.data)}
    found, expected = look("fit", request), as_json(fit_run(request))
    assert found.pop("seconds_per_example") > 0
    del expected["seconds_per_example"]
    assert found == expected


def test_an_error_keeps_its_class_message_remedy_and_problems(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as there:
        look("data", {"path": str(tmp_path / "empty")})
    with pytest.raises(InputError) as here:
        looking.look_at_data({"path": str(tmp_path / "empty")})
    assert str(there.value) == str(here.value)
    assert there.value.remedy == here.value.remedy
    assert there.value.problems == here.value.problems


def test_a_process_that_breaks_is_a_job_error_with_its_last_line(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setitem(looking.PROCESSES, "data", ("tracin_viz.nothing",))
    with pytest.raises(JobError, match="No module named"):
        look("data", {"path": str(tmp_path)})


def test_a_look_can_be_called_off(tiny_files: TinyFiles):
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        look("model", {"path": str(tiny_files.model)}, cancelled=stop)

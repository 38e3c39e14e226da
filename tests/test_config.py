from __future__ import annotations

from pathlib import Path

import pytest

from tracin_viz.config import CheckpointInfo, Home, ResultSettings, SpeedSettings
from tracin_viz.errors import InputError, Problem, TracinVizError, by_name


def test_the_workspace_is_the_argument_else_the_environment_else_a_folder_here(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACIN_VIZ_HOME", str(tmp_path / "environment"))
    assert Home.resolve(tmp_path / "argument").root == tmp_path / "argument"
    assert Home.resolve().root == tmp_path / "environment"
    monkeypatch.delenv("TRACIN_VIZ_HOME")
    monkeypatch.chdir(tmp_path)
    assert Home.resolve().root == Path.cwd() / "workspace"


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a\\b", "x" * 65, "ä", "a b", "a\n"])
def test_a_name_that_could_leave_the_workspace_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="cannot be the name of an audit"):
        Home(tmp_path).audit_folder(name)


@pytest.mark.parametrize(
    "values",
    [
        {"sketch_dim": 0},
        {"shard_size": 0},
        {"seed": -1},
        {"loss": "hinge"},
        {"numeric_mode": "int8"},
        {"layers": "("},
        {"sketch": "svd"},
    ],
)
def test_settings_refuse_nonsense_at_birth(values):
    with pytest.raises(InputError):
        ResultSettings(**values)


@pytest.mark.parametrize("values", [{"batch_size": 0}, {"threads": -2}])
def test_speed_settings_refuse_nonsense_at_birth(values):
    with pytest.raises(InputError):
        SpeedSettings(**values)


@pytest.mark.parametrize(
    "settings",
    [
        ResultSettings(layers="fc.*", sketch_dim=64, seed=3),
        SpeedSettings(device="cpu", batch_size=8, threads=1),
        CheckpointInfo(10, "checkpoint-10", 0.1, "given", 1.0, 2.3),
    ],
)
def test_settings_survive_the_way_through_json(settings):
    assert type(settings).from_dict(settings.as_dict()) == settings


def test_settings_recorded_before_there_was_a_choice_of_maps_keep_random_maps_and_their_key():
    recorded = {name: value for name, value in ResultSettings().as_dict().items() if name != "sketch"}
    settings = ResultSettings.from_dict(recorded)
    assert settings.sketch == "random"
    assert settings.key_parts() == recorded


def test_settings_of_another_version_are_refused_not_ignored():
    with pytest.raises(InputError, match="does not know sketch_width"):
        ResultSettings.from_dict({"sketch_width": 5})


def test_an_error_reads_as_message_and_remedy():
    problem = Problem("class count", "data", "two classes", "add one")
    error = InputError("The data has one class.", remedy="Add another.", problems=[problem])
    assert str(error) == "The data has one class. Add another."
    assert error.problems == (problem,)
    assert issubclass(by_name("InputError"), TracinVizError)
    assert by_name("SomethingNewer") is by_name("JobError")

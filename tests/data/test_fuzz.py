from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.data.fuzzing import ENDINGS, edited, edits, open_hostile, whole_files

FILES = whole_files()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_sound_file_of_each_kind_is_read(tmp_path: Path, ending: str):
    assert open_hostile(tmp_path, ending, FILES[ending]) == "read"


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(changes=edits())
def test_hostile_bytes_give_data_or_an_error_of_the_package(ending: str, changes):
    with tempfile.TemporaryDirectory() as folder:
        open_hostile(Path(folder), ending, edited(FILES[ending], changes))

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tracin_viz.errors import InputError
from tracin_viz.models.bundle import inspect_run

ROUNDS = 60
VALUES: list[Any] = [None, -1, 0, 1, 2**31, 1e308, "x", "", [], {}, [1], {"a": 1}, True, 0.5, "AutoModel"]


def changed(value: Any, chance: random.Random) -> Any:
    """The value with one thing in it replaced by something unexpected."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(sorted(value))
        return value | {key: changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        return [*value[:place], changed(value[place], chance), *value[place + 1 :]]
    return chance.choice(VALUES)


def damaged(content: bytes, *, json_file: bool, chance: random.Random) -> bytes:
    if json_file and chance.random() < 0.7:
        return json.dumps(changed(json.loads(content), chance)).encode()
    damage = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        damage[chance.randrange(len(damage))] = chance.randrange(256)
    return bytes(damage if chance.random() < 0.8 else damage[: chance.randrange(len(damage))])


@pytest.mark.parametrize("kind", ["image_run", "text_run"])
def test_damaged_runs_are_described_or_refused_in_one_line_and_nothing_else(kind, request, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(Path(request.getfixturevalue(kind)) / "checkpoint-300", run / "checkpoint-300")
    chance = random.Random(kind)
    outcomes = set()
    for _ in range(ROUNDS):
        path = chance.choice(sorted((run / "checkpoint-300").iterdir()))
        whole = path.read_bytes()
        path.write_bytes(damaged(whole, json_file=path.suffix == ".json", chance=chance))
        try:
            inspect_run(run)
            outcomes.add("described")
        except InputError as error:
            assert "\n" not in str(error) and error.remedy
            outcomes.add("refused")
        finally:
            path.write_bytes(whole)
    assert outcomes == {"described", "refused"}

"""Answers in the background: asked once, waited for in small steps, asked again when taken back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home
from tracin_viz.errors import CancelledError, InputError
from tracin_viz.ui.influence.waiting import ATTEMPTS, answered, is_ready


@pytest.fixture
def audit(tiny_home: Path) -> Audit:
    return Workspace(Home(tiny_home)).open("tiny")


def test_a_wait_is_told_in_small_steps_and_the_answer_is_kept(audit: Audit, tmp_path: Path):
    go, told, asked = threading.Event(), [], []

    def compute() -> dict[str, Any]:
        asked.append(1)
        assert go.wait(120)
        return {"found": 7}

    def meanwhile(seconds: float) -> None:
        told.append(seconds)
        if len(told) == 3:
            go.set()

    question = ("waited", {"folder": str(tmp_path), "image": b"bytes"})
    assert not is_ready(audit, question)
    assert answered(audit, question, compute, meanwhile) == {"found": 7}
    assert is_ready(audit, question)
    assert len(told) >= 3 and told == sorted(told)
    assert answered(audit, question, compute, meanwhile) == {"found": 7}
    assert len(asked) == 1
    other = ("waited", {"folder": str(tmp_path), "image": b"other bytes"})
    answered(audit, other, compute, meanwhile)
    assert len(asked) == 2


def test_a_question_that_another_visit_took_back_is_asked_again(audit: Audit, tmp_path: Path):
    asked = []

    def compute() -> dict[str, Any]:
        asked.append(1)
        if len(asked) < ATTEMPTS:
            raise CancelledError("A newer question took the place of this one.")
        return {"found": 1}

    found = answered(audit, ("again", {"folder": str(tmp_path)}), compute, lambda _: None)
    assert found == {"found": 1} and len(asked) == ATTEMPTS


def test_an_error_reaches_the_page_and_is_not_kept(audit: Audit, tmp_path: Path):
    question = ("failing", {"folder": str(tmp_path)})

    def fail() -> dict[str, Any]:
        raise InputError("no such thing")

    for _ in range(2):
        with pytest.raises(InputError, match="no such thing"):
            answered(audit, question, fail, lambda _: None)
    assert answered(audit, question, lambda: {"found": 2}, lambda _: None) == {"found": 2}

"""Marks and pictures of a gallery: marks stay while pages are turned, pictures are the thumbnails."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
import streamlit as st

from tracin_viz.audit import Workspace
from tracin_viz.ui import inline, marks
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.inline import inlined
from tracin_viz.ui.marks import Marks


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    kept: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", kept)
    return kept


def test_marks_of_other_pages_stay_and_those_of_other_lists_are_gone(
    workspace: Workspace, state: dict[str, object]
):
    audit = workspace.open("tiny")
    first = Marks(audit, "suspects", "aum", None)
    first.replace(["train:1", "train:2"], ["train:2"])
    first.replace(["train:3", "train:4"], ["train:3", "train:4"])
    assert first.ids == ["train:2", "train:3", "train:4"]
    first.replace(["train:1", "train:2"], [])
    assert Marks(audit, "suspects", "aum", None).ids == ["train:3", "train:4"]
    assert Marks(audit, "suspects", "loss", None).ids == []
    assert Marks(audit, "selection", "aum", None).ids == []


def test_marked_examples_become_a_queue(
    workspace: Workspace, state: dict[str, object], monkeypatch: pytest.MonkeyPatch
):
    audit = workspace.open("tiny")
    went: dict[str, str] = {}
    monkeypatch.setattr(marks, "go", lambda page, **address: went.update(page=page, **address))
    chosen = Marks(audit, "suspects")
    chosen.replace([], ["train:40", "train:7"])
    chosen.relabel()
    assert (went["page"], went["audit"]) == ("relabel", "tiny")
    assert audit.selections.get(went["sel"]).tolist() == [7, 40]
    assert "by" not in went
    chosen.relabel("loss")
    assert went["by"] == "loss"


def test_the_first_pictures_come_with_the_page_and_are_the_thumbnails(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    audit = workspace.open("tiny")
    table = audit.examples("train")
    cards = [example_card(audit, row) for row in table.iloc[:5].to_dict("records")]
    monkeypatch.setattr(inline, "MOST", 3)
    monkeypatch.setattr(inline, "PATIENCE", 60.0)
    for _ in range(2):  # made, then kept
        shown = inlined(audit, cards)
        for row, card in enumerate(shown[:3]):
            head, _, body = card.src.partition(",")
            assert head == "data:image/webp;base64"
            assert base64.b64decode(body) == audit.thumbnail("train", row)
        assert shown[3:] == cards[3:]
    monkeypatch.setattr(inline, "PATIENCE", 0.0)
    assert inlined(audit, cards) == cards, "no time left: by address"
    gone = replace(cards[0], id="train:999", src="/thumb/other")
    monkeypatch.setattr(inline, "PATIENCE", 60.0)
    assert inlined(audit, [gone]) == [gone]

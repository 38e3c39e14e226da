"""Cards of a real audit: what is written on them and where their pictures come from."""

from __future__ import annotations

import pytest

from tracin_viz.audit import Workspace
from tracin_viz.ui import cards


def test_a_picture_card_names_label_prediction_and_thumbnail(workspace: Workspace):
    audit = workspace.open("tiny")
    row = audit.examples("train").iloc[3].to_dict()
    card = cards.example_card(audit, row)
    assert card.id == "train:3"
    assert (card.given, card.other) == (row["label"], row["predicted"])
    assert card.differs == (row["label"] != row["predicted"])
    assert card.src.startswith("/thumb/tiny/train/3?")
    assert row["label"] in card.alt
    assert card.text == ""


def test_influence_cards_have_sign_number_and_a_bar_relative_to_the_strongest(workspace: Workspace):
    audit = workspace.open("tiny")
    entries = [
        {"id": f"train:{n}", "label": "bar", "predicted": "bar", "score": s}
        for n, s in enumerate((4.0, -2.0, 0.0))
    ]
    found = cards.influence_cards(audit, entries, 4.0)
    assert [card.sign for card in found] == ["proponent", "opponent", ""]
    assert [card.bar for card in found] == [1.0, -0.5, 0.0]
    assert [card.number for card in found] == ["+4", "−2", "0"]


def test_suspect_cards_show_suggestion_percentile_and_decision(workspace: Workspace):
    audit = workspace.open("tiny")
    rows = audit.suspects(top=5)["suspects"]
    found = cards.suspect_cards(audit, rows, {rows[0]["id"]: "kept"})
    assert [card.id for card in found] == [row["id"] for row in rows]
    assert found[0].done == "kept"
    assert found[1].done == ""
    assert all(card.number.startswith("> ") and card.number.endswith(" %") for card in found)
    assert found[0].bar == 1.0
    assert all(0 <= (card.bar or 0) <= 1 for card in found)


def test_the_most_suspicious_is_never_more_suspicious_than_itself():
    assert cards.percentile(99.98) == "> 99.9 %"
    assert cards.percentile(None) == cards.percentile(float("nan")) == "–"


@pytest.mark.parametrize(
    ("score", "words"),
    [(1.23456, "+1.23"), (-0.5, "−0.5"), (0.0, "0"), (1e-7, "+1.00e-07"), (-123456.0, "−1.23e+05")],
)
def test_signed_scores_keep_three_digits(score: float, words: str):
    assert cards.signed(score) == words


def test_every_action_has_words():
    assert cards.decision_words("relabel", "7") == "relabelled as 7"
    assert cards.decision_words("keep", "3") == "kept"
    assert cards.decision_words("exclude", None) == "excluded"
    assert cards.decision_words("review", "3") == "needs review"

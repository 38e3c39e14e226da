"""The large card of a real audit: labels, how sure the model is, why it is a suspect, and where it leads."""

from __future__ import annotations

import io
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from tracin_viz.audit import Workspace
from tracin_viz.errors import InputError
from tracin_viz.ui import large
from tracin_viz.ui.access import READ_ONLY_VARIABLE
from tracin_viz.ui.components.example_card import Fact, LargeCard, Link
from tracin_viz.ui.components.example_card import example_card as component
from tracin_viz.ui.text import percent


def test_a_suspect_has_its_labels_rank_and_reasons(workspace: Workspace):
    audit = workspace.open("tiny")
    suspect = audit.suspects(top=1)["suspects"][0]
    row = audit.examples("train").iloc[suspect["row"]].to_dict()
    card = large.large_card(audit, row, suspect=suspect)
    given, said, suggested = card.facts
    assert (given.value, said.value, suggested.value) == (
        row["label"],
        row["predicted"],
        suspect["suggested"],
    )
    assert said.share == pytest.approx(row["confidence"])
    assert said.number == f"{percent(row['confidence'])} sure"
    assert said.differs == (row["label"] != row["predicted"])
    assert f"{suspect['percentile']:.1f}"[:2] in card.flag and card.flag not in card.reasons
    assert len(card.reasons) == len(suspect["reason_codes"]) - 1
    assert "s=384" in card.src and "s=1024" in card.zoom


def test_links_name_page_audit_and_example(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    audit = workspace.open("tiny")
    pages = {link.page: link for link in large.links(audit, "test:3", main="influence")}
    assert set(pages) == {"influence", "compare"} and pages["influence"].main
    address = urlsplit(pages["compare"].address)
    assert address.path == "/compare"
    assert parse_qs(address.query) == {"audit": ["tiny"], "query": ["test:3"]}
    assert [link.page for link in large.links(audit, "test:3", without="influence")] == ["compare"]
    (decide,) = large.links(audit, "train:3")
    assert parse_qs(urlsplit(decide.address).query) == {"audit": ["tiny"], "item": ["train:3"]}
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    assert large.links(audit, "train:3") == [], "nobody may decide here"


def test_a_picture_of_ones_own_is_made_anew_and_small():
    large_one = io.BytesIO()
    Image.new("RGB", (3000, 2000), "red").save(large_one, "PNG")
    address = large.own_picture(large_one.getvalue())
    assert address.startswith("data:image/webp;base64,") and len(address) < 20_000
    with pytest.raises(InputError):
        large.own_picture(b"<svg onload=alert(1)>")


def test_only_a_link_that_was_drawn_is_followed(monkeypatch: pytest.MonkeyPatch):
    asked: dict[str, object] = {}
    sent: list[dict[str, object]] = []

    def drawn(**options: object) -> dict[str, object]:
        sent.append(options)
        return asked

    monkeypatch.setattr(component, "component", lambda *_: drawn)
    card = LargeCard(id="test:1", facts=[Fact("a", "b" * 200_000)], links=[Link("compare", "c", "/compare")])

    def follow(go: object) -> tuple[str, str]:
        asked["go"] = go
        return component.example_cards([card], key="k", label="l")

    assert follow({"page": "compare", "id": "test:1"}) == ("compare", "test:1")
    for nonsense in (None, "compare", {"page": "relabel", "id": "test:1"}, {"page": ["compare"], "id": 1}):
        assert follow(nonsense) == ("", "")
    assert len(str(sent[0]["data"])) < 110_000, "a label of any length is sent in part"

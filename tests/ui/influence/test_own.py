"""A sentence or picture of one's own has an address that shows the same to a colleague."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TinyFiles
from tests.ui.influence.test_page import Visit, assert_shown, audit, said, visit
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home
from tracin_viz.errors import InputError, ReadOnlyError
from tracin_viz.ui.access import READ_ONLY_VARIABLE

__all__ = ["audit", "visit"]  # fixtures of the other module, used here too


@pytest.fixture
def picture(tiny_files: TinyFiles) -> bytes:
    return (tiny_files.data / "test" / "bar" / "000.png").read_bytes()


def test_an_address_shows_the_picture_also_to_whoever_only_looks(
    visit: Visit, audit: Audit, picture: bytes, monkeypatch: pytest.MonkeyPatch
):
    name = audit.keep_query(image=picture)
    app = visit(query=f"own:{name}", own_label="ring")
    assert_shown(app, audit.influence(image=picture, label="ring"))
    assert app.query_params["query"] == f"own:{name}"
    assert any(button.key == "own_back" for button in app.button)
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app = visit(query=f"own:{name}")
    assert_shown(app, audit.influence(image=picture))
    assert "Its right label is not known" in said(app)
    assert not [one for one in app.selectbox if one.key == "own_label"]  # no form


@pytest.mark.parametrize("name", ["", "0" * 40, "../../audit.json"])
def test_a_query_that_is_not_kept_is_said_and_then_forgotten(visit: Visit, name: str):
    app = visit(query=f"own:{name}")
    assert "not kept here" in said(app) and "Give it again" in said(app)
    app.run()
    assert "not kept here" not in said(app)
    assert app.subheader[0].value


def test_only_what_the_audit_is_about_is_kept(audit: Audit, tiny_home: Path):
    refused: list[dict[str, Any]] = [{"text": "hello"}, {"image": b"no picture"}, {"image": b""}]
    for given in refused:
        with pytest.raises(InputError):
            audit.keep_query(**given)
    looking = Workspace(Home(tiny_home), read_only=True).open("tiny")
    with pytest.raises(ReadOnlyError):
        looking.keep_query(image=b"")
    texts = Workspace(Home(tiny_home)).open("tiny")
    texts.renew(replace(texts.record, task="text"))
    sentence = "<b>turn it</b> up \u202e 😀"
    assert texts.own_query(texts.keep_query(text=sentence)) == {"text": sentence}
    with pytest.raises(InputError, match="bytes"):
        texts.keep_query(text="x" * 10_000)

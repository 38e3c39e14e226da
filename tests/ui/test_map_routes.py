"""The map's routes: bytes by the name of their content, cards of registered audits, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from starlette.applications import Starlette

from tests.ui.test_routes import ask
from tracin_viz.audit import Workspace
from tracin_viz.ui.blobs import Blobs
from tracin_viz.ui.components.scatter import Points
from tracin_viz.ui.map_routes import card_url, map_routes
from tracin_viz.ui.routes import FOR_GOOD


@pytest.fixture
def blobs() -> Blobs:
    return Blobs()


@pytest.fixture
def app(workspace: Workspace, blobs: Blobs) -> Starlette:
    return Starlette(routes=map_routes(workspace.open, blobs))


def test_bytes_that_are_held_may_be_kept_for_good(app: Starlette, blobs: Blobs):
    places = Points(np.zeros((5, 2))).places
    blobs.keep(places)
    answer = ask(app, f"/bytes/{places.name}")
    assert (answer.status, answer.body) == (200, places.body)
    assert answer.headers["cache-control"] == FOR_GOOD
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_card_is_the_example_of_the_results(app: Starlette, workspace: Workspace):
    audit = workspace.open("tiny")
    address = card_url(audit).replace("{row}", "3")
    answer = ask(app, address)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == FOR_GOOD
    card, row = json.loads(answer.body), audit.examples("train").iloc[3]
    assert (card["id"], card["given"], card["other"]) == ("train:3", row["label"], row["predicted"])
    assert card["src"].startswith("/thumb/tiny/train/3")
    assert (
        ask(app, address[:-1] + ("0" if address[-1] != "0" else "1")).headers["cache-control"] == "no-cache"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/bytes/",
        "/bytes/../../etc/passwd",
        "/bytes/" + "0" * 32,
        "/card/",
        "/card/tiny/train/",
        "/card/tiny/train/48",
        "/card/tiny/train/-1",
        "/card/tiny/train/x",
        "/card/tiny/no/0",
        "/card/nobody/train/0",
        "/card/tiny/3",
    ],
)
def test_everything_else_is_a_404_of_our_own(app: Starlette, path: str):
    answer = ask(app, path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"


def test_the_routes_only_read(app: Starlette):
    assert (
        ask(app, "/bytes/x", method="POST").status
        == ask(app, "/card/tiny/train/3", method="POST").status
        == 405
    )

"""A workspace with a query process of its own, for the tests that ask one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.processes import end_children, server
from tracin_viz.config import Home
from tracin_viz.jobs.private_address import address_of
from tracin_viz.jobs.query_client import QueryClient


@pytest.fixture
def home(tmp_path: Path):
    chosen = Home(tmp_path / "home")
    yield chosen
    QueryClient(chosen).stop()
    end_children()
    folder = address_of(chosen).folder
    if folder.exists():  # made for a server that never began
        assert list(folder.iterdir()) == []
        folder.rmdir()


@pytest.fixture
def client(home: Home) -> QueryClient:
    return QueryClient(home, server(home))

"""The façade's answers, kept between reruns under the content they were computed from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas
import streamlit as st

from tracin_viz.audit import Audit, Grouping
from tracin_viz.config import Home
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui.session import visit


def state_key(audit: Audit) -> str:
    """Changes when other results of the audit become available: part of every cached result's key."""
    ready = audit.ready()
    plan = audit.results.plan() if ready.scores else None
    return fingerprint([audit.record.version(), plan.digest if plan else "", ready.map])


@st.cache_data(max_entries=200, show_spinner=False)
def _kept(key: tuple[Any, ...], _compute: Callable[[], Any]) -> Any:
    return _compute()


@st.cache_resource(max_entries=40, show_spinner=False)
def _shared(key: tuple[Any, ...], _compute: Callable[[], Any]) -> Any:
    return _compute()


def document(audit: Audit, name: str, *arguments: Any, compute: Callable[[], Any]) -> Any:
    """A façade document, computed once per content of the audit and arguments; a fresh copy each time."""
    return _kept((str(Home.resolve().root), audit.name, state_key(audit), name, *arguments), compute)


def examples(audit: Audit, split: str) -> pandas.DataFrame:
    """The table of a split's examples. One shared object: treat it as read-only."""
    key = (str(Home.resolve().root), audit.name, state_key(audit), "examples", split)
    return _shared(key, lambda: audit.examples(split))


def shared(audit: Audit, name: str, *arguments: Any, compute: Callable[[], Any]) -> Any:
    """Like ``document``, but one object for all sessions, which nobody may change: no copy is made."""
    return _shared((str(Home.resolve().root), audit.name, state_key(audit), name, *arguments), compute)


def grouping(
    audit: Audit,
    within: str | None,
    smallest: int | None,
    cautious: int | None = None,
    of: str = "influence",
) -> Grouping:
    """The map and its clusters (``Audit.grouping``). One shared object: read-only."""
    session = visit()
    found: Grouping = shared(
        audit,
        "grouping",
        within,
        smallest,
        cautious,
        of,
        compute=lambda: audit.grouping(
            within_class=within, smallest=smallest, cautious=cautious, of=of, session=session
        ),
    )
    return found


def suspect_row(audit: Audit, identity: str) -> dict[str, Any]:
    """Line of a training example (``train:17``) in the suspects document; only its id for anything else."""
    split, _, row = identity.rpartition(":")
    known = split == "train" and row.isdecimal() and int(row) < audit.splits["train"]
    return audit.suspect_entries([int(row)])[0] if known else {"id": identity}

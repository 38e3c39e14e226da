"""The draft that the page's address names, and its steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from tracin_viz.audit import Draft, code_is_trusted, inside_roots, is_run_archive
from tracin_viz.errors import NotFoundError, TracinVizError
from tracin_viz.ui.access import managing
from tracin_viz.ui.language import later
from tracin_viz.ui.session import parameter, set_parameter, workspace

#: Steps in order, by their name in the address.
STEPS = {"data": later("1 · Data"), "model": later("2 · Model"), "check": later("3 · Check and create")}


def current_draft() -> Draft:
    """The draft in the address; the last one of this session, or a new one, where there is none."""
    drafts = workspace().drafts
    for identifier in (parameter("draft"), str(st.session_state.get("last_draft", ""))):
        if identifier:
            try:
                return _shown(_trusted(drafts.read(identifier)))
            except NotFoundError:
                continue
    workspace().sweep_uploads()  # a good moment: whoever begins anew waits for nothing yet
    return _shown(drafts.new())


def change(**fields: Any) -> None:
    """Keep a choice; to be called from a widget's callback, before the page is drawn again."""
    managing()
    draft = current_draft()
    workspace().drafts.write(replace(draft, **fields))


def forget(draft: Draft) -> None:
    """End the draft: it became an audit, or is not wanted any more."""
    managing()
    workspace().drafts.remove(draft.id)
    st.session_state.pop("last_draft", None)
    set_parameter("draft", "")


def present_step(draft: Draft) -> str:
    """The step in the address, as far as what is chosen allows it."""
    asked = parameter("step")
    step = asked if asked in STEPS else "data"
    # Nothing is looked at before the step that names the place has allowed it, whatever the address says.
    if step != "data" and not allowed(draft.data):
        step = "data"
    if step == "check" and not (
        allowed(draft.model)
        and not is_run_archive(Path(draft.model).expanduser())  # it is unpacked in the step before
        and (not draft.architecture or allowed(draft.architecture))
    ):
        step = "model"
    set_parameter("step", "" if step == "data" else step)
    return step


def allowed(path: str) -> bool:
    """Whether a page may open ``path``: it is an upload, or lies below a configured folder."""
    try:
        return bool(path) and bool(inside_roots(path, also=[workspace().uploads.folder]))
    except TracinVizError:
        return False


def go_to(step: str) -> None:
    """Show ``step``."""
    set_parameter("step", "" if step == "data" else step)


def _trusted(draft: Draft) -> Draft:
    # Whoever starts the server decides anew each time whether code may be run.
    return draft if code_is_trusted() else replace(draft, trust_code=False)


def _shown(draft: Draft) -> Draft:
    st.session_state["last_draft"] = draft.id
    set_parameter("draft", draft.id)
    return draft

"""Labels come into the app from a file: first what would happen, then one click that does it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from tracin_viz.audit import Audit
from tracin_viz.errors import InputError
from tracin_viz.ui import text
from tracin_viz.ui.access import importing, person, signs_in
from tracin_viz.ui.guard import guarded, show_error
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.working import followed

_KINDS = ["csv", "tsv", "jsonl", "ndjson", "json", "parquet"]
#: What becomes of decisions that are not stored, one and many.
_LEFT = {
    "already": (later("{n} decision was here already."), later("{n} decisions were here already.")),
    "older": (
        later("{n} decision is older than what the same person decided here, and is left out."),
        later("{n} decisions are older than what the same person decided here, and are left out."),
    ),
    "replaces": (
        later("{n} example has another decision here, which the newer one would replace."),
        later("{n} examples have another decision here, which the newer ones would replace."),
    ),
}


def import_dialog(audit: Audit) -> None:
    """Open the dialog that takes over decisions from a file."""
    st.dialog(tr("Import labels"), width="large")(import_form)(audit)


@guarded
def import_form(audit: Audit) -> None:
    """A file, what it would do, and the button that does it."""
    st.markdown(tr("A file that an export wrote, also edited since. Importing it twice changes nothing."))
    file = st.file_uploader(tr("File of labels"), type=_KINDS, key="import_file")
    who = st.text_input(
        tr("Whose decisions are rows that name nobody?"),
        value=person() if signs_in() else str(st.session_state.get("annotator") or ""),
        max_chars=200,
        key="import_annotator",
    )
    if file is None:
        st.caption(tr("CSV, JSON Lines, Parquet or Label Studio's JSON. For folders: tracin-viz import."))
        return
    try:
        told = _planned(audit, file, who.strip())
    except InputError as error:
        show_error(error, key="import_error", leave=False)
        return
    _say(told)
    label = trn("Import {n} decision", "Import {n} decisions", told["new"])
    if st.button(label, key="import_now", type="primary", disabled=not told["new"], icon=":material/check:"):
        importing()
        done = _taken(audit, file, who.strip(), store=True)
        st.toast(trn("{n} decision imported.", "{n} decisions imported.", done["new"]))
        st.rerun()


def _say(told: dict[str, Any]) -> None:
    people = ", ".join(text.plain(name, longest=40) for name in told["annotators"][:8])
    line = trn("**{n} new decision**", "**{n} new decisions**", told["new"])
    st.markdown(f"{line} · {people}" if people else line)
    for name, (one, many) in _LEFT.items():
        if number := told[name]:
            st.caption(trn(one, many, number))


def _planned(audit: Audit, file: UploadedFile, who: str) -> dict[str, Any]:
    """What the file would do, looked at once for each state of the log."""
    key = (audit.name, file.file_id, who, len(audit.history()))
    kept = st.session_state.get("import_plan")
    if kept is None or kept[0] != key:
        kept = (key, _taken(audit, file, who, store=False))
        st.session_state["import_plan"] = kept
    found: dict[str, Any] = kept[1]
    return found


def _taken(audit: Audit, file: UploadedFile, who: str, *, store: bool) -> dict[str, Any]:
    # The name's ending says what the file is; the rest of it is the sender's, and no place on this computer.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"labels{Path(file.name).suffix.lower()}"
        path.write_bytes(file.getvalue())
        return followed(
            tr("Importing…") if store else tr("Reading the file…"),
            lambda told: audit.import_labels(path, annotator=who, store=store, told=told),
        )

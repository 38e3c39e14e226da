"""Where the data or the model are: a path on the server's computer, or an upload."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from tracin_viz.audit import Draft, inside_roots, is_run_archive, listing, roots
from tracin_viz.errors import TracinVizError
from tracin_viz.ui import text
from tracin_viz.ui.components.upload import upload_box
from tracin_viz.ui.frame import guarded, show_error
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.own.drafting import allowed, change
from tracin_viz.ui.own.waiting import awaited
from tracin_viz.ui.routes import upload_url
from tracin_viz.ui.session import workspace

PATH, UPLOAD = "path", "upload"
_WAYS = {PATH: later("On this computer"), UPLOAD: later("Upload")}
#: Entries of a folder that are shown as buttons.
SHOWN = 60

_WORDS = {
    "data": (
        later("Path of the data"),
        "/home/me/data/animals",
        later("A folder of images (one folder per class), a zip of it, or a table (CSV, JSONL, Parquet)."),
        later(
            "One file (zip, CSV, …), or a folder. It is sent in pieces: a broken connection loses nothing."
        ),
    ),
    "model": (
        later("Path of the model"),
        "/home/me/runs/animals",
        later("The folder that your training wrote its checkpoints into, or a zip or tar of it."),
        later("The folder of your training run, a zip or tar of it, or one file of weights."),
    ),
}


def choose_place(draft: Draft, what: str) -> Path | None:
    """Let the visitor say where the data (``"data"``) or the model (``"model"``) are.

    Returns:
        The path, which the page may open; ``None`` until there is one (the page then says why).
    """
    chosen = _chosen_place(draft, what)
    if chosen is None or what == "data" or not is_run_archive(chosen):
        return chosen
    found = awaited(draft, "unpack", tr("Unpacking the archive"))
    if found is not None:
        change(model=str(found["folder"]))
        st.rerun()
    return None


def _chosen_place(draft: Draft, what: str) -> Path | None:
    label, example, purpose, sending = _WORDS[what]
    label, purpose, sending = tr(label), tr(purpose), tr(sending)
    present = str(getattr(draft, what))
    space = workspace()
    uploaded = is_uploaded(present)
    way = st.segmented_control(
        tr("Where is it?") if what == "model" else tr("Where are they?"),
        [PATH, UPLOAD],
        format_func=lambda one: tr(_WAYS[one]),
        default=UPLOAD if uploaded else PATH,
        key=f"way_{what}_{draft.id}",
        required=True,
        label_visibility="collapsed",
    )
    if way == UPLOAD:
        if uploaded:
            st.markdown(f":green[**✓ {tr('Uploaded')}**] {text.plain(Path(present).name)}")
        upload_box(
            space.uploads,
            key=f"upload_{what}",
            label=tr("Upload of the data") if what == "data" else tr("Upload of the model"),
            words=tr("To take something else instead:") if uploaded else sending,
            url=upload_url(),
            on_done=lambda identifier: _take_upload(what, identifier),
        )
        return Path(present) if uploaded else None
    _path_field(draft, what, label, example)
    st.caption(purpose)
    if not present or uploaded:
        return None
    try:
        return inside_roots(present)
    except TracinVizError as error:
        show_error(error, key=f"{what}_place_error", leave=False)
        return None


def is_uploaded(path: str) -> bool:
    """Whether ``path`` lies among the uploads, links and ``..`` followed."""
    return bool(path) and Path(path).resolve().is_relative_to(workspace().uploads.folder)


def _path_field(draft: Draft, what: str, label: str, example: str) -> None:
    key = f"path_{what}_{draft.id}"
    present = str(getattr(draft, what))
    if is_uploaded(present):
        present = ""
    if st.session_state.get(key) != present:
        st.session_state[key] = present
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"place_{what}"):
        st.text_input(
            label,
            key=key,
            placeholder=example,
            on_change=lambda: _take_path(what, str(st.session_state[key])),
        )
        with st.popover(tr("Browse"), icon=":material/folder_open:", key=f"browse_{what}"):
            _browser(draft, what)


def _take_path(what: str, path: str) -> None:
    change(**{what: path.strip().strip("\"'"), **_forgotten(what)})


@guarded
def _take_upload(what: str, identifier: str) -> None:
    change(**{what: str(workspace().uploads.path(identifier)), **_forgotten(what)})


def _forgotten(what: str) -> dict[str, object]:
    """Choices that were made about what was there before."""
    return {"mapping": {}} if what == "data" else {"rows": {}, "learning_rates": (), "options": {}}


def _browser(draft: Draft, what: str) -> None:
    """Folders to walk through; a folder or file is taken by its button."""
    key = f"browsing_{what}_{draft.id}"
    top = str(roots()[0])
    here = str(st.session_state.setdefault(key, _beginning(str(getattr(draft, what)), top)))
    try:
        folder = inside_roots(here)
        entries = listing(folder)
    except TracinVizError as error:
        show_error(error, key=f"{what}_browse_error")
        st.session_state[key] = top
        return
    st.markdown(f"**{text.plain(folder, longest=80)}**")
    with st.container(horizontal=True):
        st.button(
            tr("Take this folder"),
            key=f"take_{what}",
            icon=":material/check:",
            on_click=_take_path,
            args=(what, str(folder)),
        )
        for place in dict.fromkeys((folder.parent, *roots())):
            if place != folder and allowed(str(place)):
                up = place == folder.parent
                word = tr("Up") if up else place.name or str(place)
                _walk(key, word, place, icon="arrow_upward" if up else "home")
    with st.container(height=280, border=False):
        for number, entry in enumerate(entries[:SHOWN]):
            if entry.is_folder:
                _walk(key, entry.name, entry.path, icon="folder", number=number)
            else:
                st.button(
                    text.plain(entry.name, longest=60),
                    key=f"{key}_file_{number}",
                    icon=":material/draft:",
                    type="tertiary",
                    on_click=_take_path,
                    args=(what, str(entry.path)),
                )
        if len(entries) > SHOWN:
            more = f"{len(entries) - SHOWN:,}"
            st.caption(tr("and {number} more; type the path instead.", number=more))
        if not entries:
            st.caption(tr("Nothing in here."))


def _walk(key: str, word: str, place: Path, *, icon: str, number: int | None = None) -> None:
    def walked() -> None:
        st.session_state[key] = str(place)

    st.button(
        text.plain(word, longest=60),
        key=f"{key}_{word}" if number is None else f"{key}_folder_{number}",
        icon=f":material/{icon}:",
        type="tertiary",
        on_click=walked,
    )


def _beginning(present: str, top: str) -> str:
    if not present:
        return top
    try:
        found = inside_roots(present)
    except TracinVizError:
        return top
    return str(found if found.is_dir() else found.parent)

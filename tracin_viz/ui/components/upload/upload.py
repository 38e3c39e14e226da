"""A box that sends files or a folder to the server, in pieces, with progress, cancel and resume.

The browser tells the page an identifier only; which path that is, the server looks up.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from tracin_viz.audit import Uploads
from tracin_viz.ui.components.registering import component
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.upload_routes import token

#: Words of the component; values in braces are its own.
SAID: dict[str, str] = {
    "choose_file": later("Choose a file"),
    "choose_folder": later("Choose a folder"),
    "drop_folder": later("For a folder, please use “Choose a folder”."),
    "files": later("{n} files"),
    "upload_of": later("Upload of {name}"),
    "of": later("{done} of {total}"),
    "seconds": later("about {number} s left"),
    "minutes": later("about {number} min left"),
    "hours": later("about {number} h left"),
    "go_on": later("Go on"),
    "cancel": later("Cancel"),
    "close": later("Close"),
    "broken": later("The connection broke."),
    "nothing_lost": later("Nothing is lost."),
    "again": later("The connection broke. Trying again …"),
    "failed": later("The upload failed."),
    "too_large": later("{size} are more than the {most} that may be uploaded at once."),
    "give_path": later("Copy the files to the computer the app runs on and give their path."),
}


def upload_box(
    uploads: Uploads, *, key: str, label: str, words: str, url: str, on_done: Callable[[str], None]
) -> None:
    """Draw the box.

    Args:
        uploads: Where the files go; its limits are shown before anything is sent.
        key: Unique on the page.
        label: What is uploaded, read aloud.
        words: One line above the buttons.
        url: Address that the pieces go to.
        on_done: Called with the identifier when everything has arrived.
    """

    def done() -> None:
        event = st.session_state[key].get("done")
        identifier = event.get("id") if isinstance(event, dict) else None
        if isinstance(identifier, str):
            on_done(identifier)

    component("upload", ("parts/element.js", "upload.js"))(
        key=key,
        data={
            "token": token(),
            "url": url,
            "label": label,
            "words": words,
            "said": {name: tr(message) for name, message in SAID.items()},
            "largest": uploads.limits.largest,
        },
        on_done_change=done,
    )

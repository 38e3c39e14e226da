"""What this visit may do: everything, or only look (``make run READ_ONLY=1``).

Pages ask ``may_decide`` and ``may_manage`` before they draw what changes something; every callback and route
asks again with ``deciding`` and ``managing``, because a hidden button is no wall.
"""

from __future__ import annotations

import os

import streamlit as st

from tracin_viz.errors import ReadOnlyError
from tracin_viz.ui.language import tr

#: Set to 1 when the server is started for people who only look.
READ_ONLY_VARIABLE = "TRACIN_VIZ_READ_ONLY"
_OFF = ("", "0", "false", "no", "off")


def read_only() -> bool:
    """Whether this server was started for looking only."""
    return os.environ.get(READ_ONLY_VARIABLE, "").strip().lower() not in _OFF


def may_decide() -> bool:
    """Whether this visit may decide about labels, undo, and keep selections and views."""
    return not read_only()


def may_manage() -> bool:
    """Whether this visit may create audits, upload, start and stop runs, and change settings for all."""
    return not read_only()


def deciding() -> None:
    """The wall in front of every change of a label.

    Raises:
        ReadOnlyError: This visit may only look.
    """
    if not may_decide():
        raise ReadOnlyError()


def managing() -> None:
    """The wall in front of every change of audits, runs and files.

    Raises:
        ReadOnlyError: This visit may only look.
    """
    if not may_manage():
        raise ReadOnlyError()


def say_read_only() -> None:
    """One line where the controls would be: why there are none."""
    with st.container(key="read_only"):
        st.caption(tr("This is a read-only view: everything can be seen, nothing can be changed."))

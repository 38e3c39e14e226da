"""The Python side of the shell."""

from __future__ import annotations

from collections.abc import Callable

from tracin_viz.ui.components.registering import component


def shell(
    *,
    language: str,
    offer: bool,
    step: str = "",
    focus: str = "",
    on_help: Callable[[], None],
    on_first: Callable[[], None],
    on_leave: Callable[[], None],
) -> None:
    """Listen for ``?`` and tell a first visit.

    Args:
        language: Of the page's words, for screen readers.
        offer: Whether a first visit is of interest on this page.
        step: Step of the tour; empty when there is none. ``Escape`` leaves it.
        focus: Key of the button that takes the focus when a step begins.
        on_help: Called when ``?`` was pressed outside of a field.
        on_first: Called once per browser, when ``offer`` was true and no tour was offered before.
        on_leave: Called when ``Escape`` was pressed during the tour.
    """
    component("shell")(
        key="shell",
        width=1,
        height=1,
        data={
            "language": language,
            "offer": offer,
            "touring": bool(step),
            "focus": {"key": focus, "at": step} if step and focus else None,
        },
        on_help_change=on_help,
        on_first_change=on_first,
        on_leave_change=on_leave,
    )

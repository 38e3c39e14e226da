"""How a component is made known to Streamlit: one script and one style sheet from its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


@cache
def component(
    name: str, scripts: tuple[str, ...] = (), *, styles: tuple[str, ...] = (), element: str = ""
) -> Callable[..., Any]:
    """The component of the folder ``name``, registered on first use.

    Registering needs Streamlit's runtime, and importing a component's module must not.

    Args:
        name: Of the folder, and of its file of styles where it has one.
        scripts: As of ``script``; by default the one file called like the folder.
        styles: As of ``style``.
        element: Identifier of the element that the script draws into; by default the name.
    """
    return st.components.v2.component(
        f"tracin_viz_{name}",
        html=f'<div id="{element or name}"></div>\n',
        css=style(name, styles) or None,
        js=script(name, scripts),
    )


def script(name: str, files: Sequence[str] = ()) -> str:
    """One module for the browser, which takes one text: the files in this order.

    Args:
        name: The component's folder.
        files: In that folder, or, with a folder before them (``parts/element.js``), in another one.
    """
    return _joined(name, files or (f"{name}.js",))


def style(name: str, files: Sequence[str] = ()) -> str:
    """All styles of a component, like ``script``; empty where it has none."""
    own = f"{name}.css"
    return _joined(name, files or ((own,) if (_HERE / name / own).exists() else ()))


def _joined(name: str, files: Sequence[str]) -> str:
    places = (_HERE / one if "/" in one else _HERE / name / one for one in files)
    return "\n".join(place.read_text("utf-8") for place in places)

"""HTML from Python: whatever is not made here is text, so nothing from a data set can become an element.

A template engine would do the same; the words of the report are translated literals in Python code, and this
keeps them where the catalogue's extraction reads them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_VOID = frozenset({"br", "hr", "img", "meta", "link", "rect", "line", "path", "circle", "col"})
#: HTML forbids these even as references; half of a surrogate pair cannot be written to a file at all.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
#: Signs that turn the direction of what follows: a label could make the words around it read backwards.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Html(str):
    """Text that is HTML already; only this module makes it."""

    __slots__ = ()


def clean(value: object, *, longest: int = 2_000) -> str:
    """``value`` as text that may stand in a file: nothing invisible that breaks it, not endlessly long.

    Args:
        value: Anything, such as a label or a file name.
        longest: Characters kept; the rest becomes "…".
    """
    text = _TURNING.sub("", _FORBIDDEN.sub("\ufffd", str(value)))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """One element.

    Args:
        name: Of the element; written by us, never from data.
        children: Elements, and anything else as escaped text; ``None`` is left out.
        attributes: Values are escaped. ``class_`` and ``for_`` lose their underscore, others become dashes;
            ``None`` is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(clean(value, longest=1 << 24), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID and not children:
        return Html(f"<{name}{written}>" if name not in _DRAWN else f"<{name}{written}/>")
    return Html(f"<{name}{written}>{joined(children)}</{name}>")


_DRAWN = frozenset({"rect", "line", "path", "circle"})


def joined(parts: Iterable[object]) -> Html:
    """Elements and texts one after the other; what is no element is escaped."""
    return Html(
        "".join(
            part if isinstance(part, Html) else html.escape(clean(part), quote=True)
            for part in parts
            if part is not None
        )
    )


def said(sentence: str, /, **values: object) -> Html:
    """A sentence with ``{name}`` replaced by elements or by text, each isolated in its direction.

    Args:
        sentence: Our own words, translated before; a name without value stays as it is.
        values: Elements, or data (a label, a file name) that is set apart as ``<bdi>``.
    """
    parts = re.split(r"\{(\w+)\}", sentence)
    put: list[object] = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            put.append(part)
        elif part in values:
            value = values[part]
            put.append(value if isinstance(value, Html) else tag("bdi", clean(value, longest=120)))
        else:
            put.append("{" + part + "}")
    return joined(put)


def raw(text: str) -> Html:
    """Our own style sheet or document frame; never called with anything from data."""
    return Html(text)

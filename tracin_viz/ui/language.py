"""The words of the pages in the reader's language: English in the code, other languages in one catalogue.

``tr`` is called where words are shown, never when a module is loaded: the language belongs to the visit.
Words that wait in a module's table are marked with ``later`` there and go through ``tr`` when they are drawn.
Text that comes from data is not translated. Messages of errors, which the command line shows too, stay
English where they are made; ``ui.translation`` translates them where a page shows them.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from streamlit.runtime.scriptrunner import get_script_run_ctx

#: Language of the address (``?lang=zh``) and its own name for itself. English is what the code says.
LANGUAGES: dict[str, str] = {"en": "English", "zh": "简体中文"}
USUAL = "en"

_CATALOGUES = Path(__file__).parent / "catalogue"
_KEPT = "language"


def tr(message: str, /, **values: object) -> str:
    """``message`` in the language of this visit, with ``{name}`` replaced by ``values[name]``.

    Args:
        message: The English words: a plain literal, so that the catalogue's test finds it in the code.
        values: Numbers already formatted, and data-set text already made harmless (``text.plain``).
    """
    words = _words(language()).get(message) or message
    return words.format(**values) if values else words


def trn(one: str, many: str, number: int, /, **values: object) -> str:
    """``one`` or ``many`` by ``number``, in the language of this visit; ``{n}`` is the number."""
    form = one if number == 1 else many
    words = _words(language()).get(form) or form
    return words.format(n=f"{number:,}", **values)


def later(message: str) -> str:
    """``message`` itself, marked for the catalogue; ``tr`` translates it when it is shown."""
    return message


def language() -> str:
    """The address's ``lang``, else what this visit chose, else what the browser prefers, else English."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return USUAL  # an HTTP route or a test: there is no visit whose language could be meant
    # A page asks a thousand times; each run of a page has a new table of cursors, and one language.
    if getattr(_run, "cursors", None) is not context.cursors:
        _run.name, _run.cursors = _of_this_visit(), context.cursors
    return str(_run.name)


_run = threading.local()


def _of_this_visit() -> str:
    asked = str(st.query_params.get("lang", ""))
    if asked in LANGUAGES:
        st.session_state[_KEPT] = asked
        return asked
    kept = st.session_state.get(_KEPT)
    if kept in LANGUAGES:
        return str(kept)
    return preferred(st.context.locale)


def choose_language(name: str) -> None:
    """Show this visit's pages in the language ``name``, from the next run on; others change nothing."""
    if name in LANGUAGES:
        st.session_state[_KEPT] = name
        st.query_params["lang"] = name
        _run.cursors = None


def publish_language() -> None:
    """Put a chosen language into the address again: switching pages empties the address."""
    kept = st.session_state.get(_KEPT)
    if kept in LANGUAGES and st.query_params.get("lang") != kept:
        st.query_params["lang"] = str(kept)


def preferred(locale: str | None) -> str:
    """The language for a browser's locale (``zh-CN``); traditional Chinese readers get English."""
    parts = (locale or "").lower().replace("_", "-").split("-")
    traditional = {"hant", "tw", "hk", "mo"} & set(parts)
    return parts[0] if parts[0] in LANGUAGES and not traditional else USUAL


def translators(name: str) -> tuple[Callable[..., str], Callable[..., str]]:
    """``tr`` and ``trn`` of one language, for what is written for somebody else than the present visit.

    Args:
        name: Key of ``LANGUAGES``; anything else, which may come from an address, means English.
    """
    name = name if name in LANGUAGES else USUAL

    def fixed(message: str, /, **values: object) -> str:
        words = _words(name).get(message) or message
        return words.format(**values) if values else words

    def counted(one: str, many: str, number: int, /, **values: object) -> str:
        form = one if number == 1 else many
        return (_words(name).get(form) or form).format(n=f"{number:,}", **values)

    return fixed, counted


@functools.cache
def catalogue(name: str) -> Catalog:
    """The catalogue of a language, read once; an empty one for English."""
    if name == USUAL:
        return Catalog()
    with (_CATALOGUES / f"{name}.po").open("rb") as file:
        return read_po(file, locale=name, domain="tracin_viz")


@functools.cache
def _words(name: str) -> dict[str, str]:
    return {str(entry.id): str(entry.string) for entry in catalogue(name) if entry.id and entry.string}

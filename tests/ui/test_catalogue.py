"""Every word of the pages can be translated, and every translation fits what the code says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from string import Formatter

import pytest
from babel.messages.catalog import Catalog

from docs import catalogue as command
from tracin_viz.ui import language

OTHERS = [name for name in language.LANGUAGES if name != language.USUAL]
MESSAGES = command.messages()
#: Calls of Streamlit whose first argument is words that a reader sees.
SHOWING = {
    *("title", "header", "subheader", "markdown", "write", "caption", "text", "info", "warning", "error"),
    *("success", "toast", "button", "download_button", "form_submit_button", "link_button", "checkbox"),
    *("toggle", "radio", "selectbox", "multiselect", "slider", "select_slider", "text_input", "text_area"),
    *("number_input", "file_uploader", "expander", "popover", "dialog", "spinner", "segmented_control"),
    *("pills", "metric", "menu_button", "status"),
}
#: Patterns and identifiers, which are no words of a language.
NO_WORDS = {"classifier|layer4", "checkpoint-*", "model.", "train:17, train:204"}
#: Arguments by name that are words as well.
NAMED = {"help", "label", "placeholder", "alt", "title"}


def placeholders(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


@pytest.fixture(params=OTHERS)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return language.catalogue(request.param)


def test_the_catalogue_has_every_message_of_the_code_and_no_other(catalogue: Catalog):
    kept = {str(entry.id) for entry in catalogue if entry.id}
    assert kept == set(MESSAGES), "python -m docs.catalogue brings it up to date"


def test_every_message_is_translated(catalogue: Catalog):
    assert not [str(entry.id) for entry in catalogue if entry.id and not entry.string]


def test_translations_have_the_placeholders_of_the_message(catalogue: Catalog):
    wrong = {
        str(entry.id): str(entry.string)
        for entry in catalogue
        if entry.id and entry.string and placeholders(str(entry.id)) != placeholders(str(entry.string))
    }
    assert not wrong


def test_translations_keep_what_markdown_and_readers_need(catalogue: Catalog):
    """Bold words, icons and signs of the message are in its translation as well."""
    signs = re.compile(r":material/\w+:|\*\*|[▲▼⚑✓⇄]")
    wrong = {
        str(entry.id): str(entry.string)
        for entry in catalogue
        if entry.id
        and entry.string
        and sorted(signs.findall(str(entry.id))) != sorted(signs.findall(str(entry.string)))
    }
    assert not wrong


def test_the_words_of_a_call_are_literals_or_come_from_a_marked_table():
    """A message that is put together, as by an f-string, is found in no catalogue."""
    wrong = []
    for path in command.files():
        for call in command.calls(ast.parse(path.read_text("utf-8"))):
            if path.name == "language.py" or not call.args:
                continue
            if isinstance(call.args[0], (ast.JoinedStr, ast.BinOp)):
                wrong.append(f"{path.name}:{call.lineno}")
    assert not wrong


def test_placeholders_of_a_message_are_given_by_its_call():
    wrong = []
    for path in command.files():
        for call in command.calls(ast.parse(path.read_text("utf-8"))):
            kind = command.name_of(call)
            given = {keyword.arg for keyword in call.keywords}
            if kind == "later" or None in given:
                continue
            known = {"n", *given} if kind == "trn" else given
            for message in command.literals(call):
                # Words without values are not formatted: components put their own numbers in.
                if (given or kind == "trn") and not placeholders(message) <= known:
                    wrong.append(f"{path.name}:{call.lineno}: {message}")
    assert not wrong


def test_nothing_is_shown_that_no_catalogue_can_hold():
    """Native widgets get their words from ``tr``, never as bare literals or f-strings with letters."""
    wrong = []
    for path in command.files():
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call):
                wrong += [f"{path.name}:{call.lineno}: {words}" for words in bare(call)]
    assert not wrong, "\n".join(wrong)


def bare(call: ast.Call) -> Iterator[str]:
    """Untranslated words that a call of a widget shows."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in SHOWING:
        return
    if isinstance(call.func.value, ast.Name) and call.func.value.id == "_log":
        return  # a log is for whoever runs the server
    shown = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg in NAMED)]
    for argument in shown:
        for words in _letters(argument):
            if words not in NO_WORDS and re.search(r"[A-Za-z]{2}", _without_markup(words)):
                yield words


def _letters(argument: ast.expr) -> Iterator[str]:
    """The literal parts of an argument, without what stands inside calls and placeholders."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.JoinedStr):
        for part in argument.values:
            if isinstance(part, ast.Constant):
                yield str(part.value)
    elif isinstance(argument, ast.IfExp):
        yield from _letters(argument.body)
        yield from _letters(argument.orelse)
    elif isinstance(argument, ast.BinOp):
        yield from _letters(argument.left)
        yield from _letters(argument.right)


def _without_markup(words: str) -> str:
    """Without icons and colours, which are no words: ``:material/info:``, ``:green[``."""
    return re.sub(r":material/\w+:|:\w+\[|<[^>]*>", "", words)


@pytest.mark.parametrize("name", OTHERS)
def test_bold_words_end_where_markdown_sees_it(name: str):
    # No blank follows in Chinese: stars between a punctuation mark and a letter would stay stars.
    for entry in language.catalogue(name):
        parts = str(entry.string).split("**")
        for inside, after in zip(parts[1::2], parts[2::2], strict=True):
            assert not (re.search(r"\W$", inside) and re.match(r"[\w{]", after)), entry.string

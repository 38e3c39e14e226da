"""Bring the catalogues of translated words up to date with the code: ``make catalogue``.

What the code says and a catalogue lacks is added with an empty translation; what the code says no more is
taken out; translations stay. The words are read from the syntax trees of the pages, because a call inside an
f-string is invisible to readers of tokens.

Messages of the lower layers, which pages show as well, have catalogues of their own: ``docs.lower_words``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from docs import lower_words

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tracin_viz" / "ui" / "catalogue"
#: Catalogues of what the lower layers say.
BELOW = FOLDER / "below"
#: Calls that show words: how many of their first arguments are words.
CALLS = {"tr": 1, "trn": 2, "later": 1}


def files() -> list[Path]:
    """Every file whose words are translated."""
    folders = (ROOT / "pages", ROOT / "tracin_viz" / "report", ROOT / "tracin_viz" / "ui")
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def messages() -> dict[str, list[str]]:
    """Every message of the code with the files that show it, in the order of the files."""
    found: dict[str, list[str]] = {}
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        for message in said(path.read_text("utf-8")):
            places = found.setdefault(message, [])
            if name not in places:
                places.append(name)
    return found


def said(source: str) -> Iterator[str]:
    """The messages of one file, in its order."""
    for call in calls(ast.parse(source)):
        yield from literals(call)


def literals(call: ast.Call) -> Iterator[str]:
    """The messages of one call."""
    for argument in call.args[: CALLS[name_of(call)]]:
        yield from _literals(argument)


def _literals(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):  # one of two messages
        yield from _literals(argument.body)
        yield from _literals(argument.orelse)


def calls(tree: ast.AST) -> list[ast.Call]:
    """The calls of ``tr``, ``trn`` and ``later``, by their place."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node) in CALLS]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def name_of(call: ast.Call) -> str:
    """``tr``, ``trn`` or another name that is called; empty for what has none."""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def renewed(catalogue: Catalog, wanted: Mapping[tuple[str, str], list[str]]) -> Catalog:
    """The catalogue with exactly the ``wanted`` messages; translations that it has stay.

    Args:
        catalogue: What there is.
        wanted: Files by context (empty for none) and message.
    """
    made = Catalog(locale=catalogue.locale, fuzzy=False)
    for (context, message), places in wanted.items():
        known = catalogue.get(message, context or None)
        made.add(
            message,
            known.string if known else "",
            locations=[(place, None) for place in places],
            context=context or None,
        )
    return made


def main() -> None:
    """Renew every catalogue and say what is left to translate."""
    shown = {("", message): places for message, places in messages().items()}
    for folder, wanted in ((FOLDER, shown), (BELOW, lower_words.messages())):
        for path in sorted(folder.glob("*.po")):
            with path.open("rb") as stream:
                catalogue = read_po(stream, locale=path.stem)
            made = renewed(catalogue, wanted)
            with path.open("wb") as stream:
                write_po(stream, made, width=100, include_lineno=False, omit_header=True)
            body = path.read_text("utf-8")
            path.write_text(_HEADER.format(language=path.stem) + body, "utf-8")
            empty = sum(not entry.string for entry in made if entry.id)
            print(f"{path.relative_to(ROOT)}: {len(wanted)} messages, {empty} to translate")


# Babel's own header holds times and versions, which would change with every call.
_HEADER = """msgid ""
msgstr ""
"Project-Id-Version: TracIn-Viz\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""

if __name__ == "__main__":
    main()

"""Messages of the lower layers reach the reader in the language of the page, with their values untouched."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from streamlit.testing.v1 import AppTest

from docs import lower_words
from docs.lower_values import Literals, described
from tracin_viz.data.dataset import open_dataset
from tracin_viz.errors import InputError, TracinVizError
from tracin_viz.ui import translation
from tracin_viz.ui.translation import LIST, PART, Template, template, translator

MESSAGES = lower_words.messages()
OTHERS = [path.stem for path in translation.FOLDER.glob("*.po")]


@pytest.fixture(params=OTHERS)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    with (translation.FOLDER / f"{request.param}.po").open("rb") as file:
        return read_po(file, locale=request.param)


def entries(catalogue: Catalog) -> list[tuple[str, str, str]]:
    return [(str(one.context or ""), str(one.id), str(one.string)) for one in catalogue if one.id]


def test_the_catalogue_has_every_message_of_the_lower_layers_and_no_other(catalogue: Catalog):
    kept = {(context, text) for context, text, _ in entries(catalogue)}
    assert kept == set(MESSAGES), "python -m docs.catalogue brings it up to date"


def test_every_message_is_translated(catalogue: Catalog):
    assert not [text for _, text, words in entries(catalogue) if not words]


def test_translations_have_the_values_of_the_message(catalogue: Catalog):
    wrong = {
        text: words
        for _, text, words in entries(catalogue)
        if sorted({gap.name for gap in template(text).gaps})
        != sorted({gap.name for gap in template(words).gaps})
    }
    assert not wrong


def filled(one: Template, values: list[str]) -> str:
    """The message that code makes of a template."""
    return "".join(itertools.chain(*itertools.zip_longest(one.pieces, values, fillvalue="")))


def said_by(one: Template, values: list[str]) -> str:
    """The translation with ``values`` in it."""
    given = dict(zip((gap.name for gap in one.gaps), values, strict=True))
    return "".join(fixed + (given[name] if name is not None else "") for fixed, name in one.words)


def test_every_message_comes_back_translated_with_its_values(catalogue: Catalog):
    """Where two templates fit, as where one says more than the other, the one that says more is taken."""
    translate = translator(str(catalogue.locale))
    known = [template(text, words) for context, text, words in entries(catalogue) if context != LIST]
    wrong = {}
    for one in known:
        message = filled(one, values := [f"<{number}°>" for number in range(len(one.gaps))])
        said = translate(message)
        if said != said_by(one, values):
            fitting = [
                other for other in known if other.weight >= one.weight and other.match(message) is not None
            ]
            others = {said_by(other, other.match(message) or []) for other in fitting}
            if said not in others:
                wrong[message] = said
    assert not wrong


def test_a_value_that_looks_like_our_words_stays_as_it_is():
    """Class names, file names and texts are shown as the data have them, whatever they say."""
    translate = translator("zh")
    assert translate("Class 'no decision now' has query examples but no training examples.") == (
        "类别“no decision now”有查询样本，但没有训练样本。"
    )
    hostile = "' is empty. Choose another name. {name} <b>'" * 3
    assert hostile in translate(f"Archive '{hostile}' is empty.")


def test_words_of_ours_inside_a_message_are_translated_too():
    translate = translator("zh")
    said = translate("Archive 'a.zip' holds 'b.png', which is a link; nothing of it was read.")
    assert said == "压缩包“a.zip”包含链接“b.png”；未读取其中任何内容。"
    several = translate("'t.csv' has no column x; it has: a, b and 3 more.")
    assert several == "“t.csv”没有列 x；它有：a, b 及另外 3 个。"


def test_message_and_remedy_in_one_text_are_taken_apart():
    error = TracinVizError("'x' is no class of this audit.", remedy="Possible: cat, dog.")
    assert translator("zh")(str(error), several=True) == "“x”不是此审查的类别。可选：cat, dog。"
    half = translator("zh")("'x' is no class of this audit. Nobody said this sentence.", several=True)
    assert half == "“x”不是此审查的类别。Nobody said this sentence."


def test_what_no_template_says_stays_english():
    for text in ("Nobody said this sentence.", "", " ", "{", "'", "no", "{name} 100 %"):
        assert translator("zh")(text) == text
    assert translator("en")("No file was chosen.") == "No file was chosen."
    assert translator("../zh")("No file was chosen.") == "No file was chosen."


def test_hostile_values_cannot_make_a_translation_slow(catalogue: Catalog):
    """Every gap is looked for once from the left: what is tried grows with the text, not with its pieces."""
    pieces = "".join(template(text).pieces[-1] for _, text, _ in entries(catalogue))
    hostile = "'" + pieces[:20_000] * 2 + "' ' ' in '"
    assert len(translator(str(catalogue.locale))(hostile)) > 10_000


def test_an_error_of_a_real_file_is_translated(tmp_path: Path):
    (tmp_path / "t.csv").write_text("text,label\na,b\n")
    with pytest.raises(InputError) as caught:
        open_dataset(tmp_path / "t.csv")
    assert translator("zh")(caught.value.message) == "“t.csv”只有一个类别“b”；至少需要两个。"


def _page() -> None:
    from tracin_viz.errors import InputError, Problem
    from tracin_viz.ui.guard import guarded

    @guarded
    def body() -> None:
        problem = Problem("empty text", "t.csv line 3", "Its text is empty.", "Give it a label.")
        raise InputError("Archive 'a.zip' is empty.", remedy="Rename it.", problems=[problem])

    body()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["压缩包“a.zip”是空的。", "t.csv 第 3 行", "它的文本为空。"]),
        ("en", ["Archive 'a.zip'", "t.csv line 3"]),
    ],
)
def test_a_page_tells_errors_in_its_language(language: str, words: list[str]):
    app = AppTest.from_function(_page)
    app.query_params["lang"] = language
    app.run()
    shown = re.sub(r"[\u2060\\]", "", app.error[0].value) + app.dataframe[0].value.to_string()
    assert not [one for one in words if one not in shown]


def said_in(source: str) -> list[tuple[str, str]]:
    module = described("made.py", source)
    return list(lower_words.Reader(Literals({"made": module})).read(module))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (
            'raise InputError("Too large.", remedy=f"At most {most} MiB.")',
            ["Too large.", "At most {most} MiB."],
        ),
        ('raise InputError(f"{len(a)} of {len(b)} rows.")', ["{n} of {n2} rows."]),
        ('raise InputError("No " + ("rows" if a else "files") + ".")', ["No rows.", "No files."]),
        ("raise InputError(f\"Is {'one' if n == 1 else 'many'}.\")", ["Is one.", "Is many."]),
        ('_SAID = "Not here"\nraise InputError(_SAID)', ["Not here"]),
        ('_SAID = {"a": "Not so."}\nraise InputError(_SAID["a"])', ["Not so."]),
        ('_log.warning("a log says no words")\nraise ValueError("Nor does this.")', []),
    ],
)
def test_messages_are_found_however_they_are_written(source: str, found: list[str]):
    assert sorted({text for _, text in said_in(source)}) == sorted(found)


def test_words_that_are_passed_on_are_parts_of_the_message():
    source = (
        "def _refused(name: str, why: str) -> InputError:\n"
        "    return InputError(f\"'{shown(name)}' {why}, so it stays closed.\")\n\n"
        '_refused(path, "is damaged" if bad else "is too large")\n'
    )
    assert set(said_in(source)) == {
        ("", "'{name}' {why:part}, so it stays closed."),
        (PART, "is damaged"),
        (PART, "is too large"),
    }

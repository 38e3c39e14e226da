"""Messages of the lower layers in the reader's language.

Errors, notes and stages are English where they are made, because the command line and Python show them too.
The catalogue in ``catalogue/below`` has their templates, which ``docs.lower_words`` finds in the code. A
message is matched against these, and what stands in its gaps is put into the translation as it is: names,
numbers and text from data are never translated. What fits no template stays English.

No message can make this slow: each gap is looked for from left to right once, without going back.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

from babel.messages.pofile import read_po

from tracin_viz.ui.language import USUAL, language, preferred

FOLDER = Path(__file__).parent / "catalogue" / "below"
#: Our components name the language of their page with it: routes have no visit.
LANGUAGE_HEADER = "x-tracin-viz-language"
#: Context of the words that sentences are made with.
PART = "part"
LIST = "list"
#: What a cut list of names ends with (``data.dataset.listed``).
_MORE = "{text} and {n} more"
#: Messages in messages in messages: more are not looked into.
_DEEPEST = 8
#: Ends of sentences at which a text is taken apart.
_MOST_SENTENCES = 8
#: Letters that a template must share with a message.
_FEWEST = 2
_ENDS = re.compile(r"(?<=[.?!…]) (?=\S)")


@dataclass(frozen=True)
class Gap:
    """A place in a template: ``kind`` is ``"part"`` for words of ours, ``"list"`` for names, else empty."""

    name: str
    kind: str


@dataclass(frozen=True)
class Template:
    """A message with gaps, and its translation.

    Attributes:
        pieces: What stands around the gaps: one piece more than there are gaps.
        gaps: In their order.
        words: The translation; text and names of gaps by turns.
        weight: Characters outside of gaps: of two templates that fit, the heavier one is meant.
    """

    pieces: tuple[str, ...]
    gaps: tuple[Gap, ...]
    words: tuple[tuple[str, str | None], ...] = ()
    weight: int = 0

    def match(self, text: str) -> list[str] | None:
        """What stands in the gaps of ``text``; ``None`` where it does not fit."""
        first, last = self.pieces[0], self.pieces[-1]
        if not self.gaps:
            return [] if text == first else None
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return None
        at, end, found = len(first), len(text) - len(last), []
        for piece in self.pieces[1:-1]:
            place = text.find(piece, at, end)
            if place < 0:
                return None
            found.append(text[at:place])
            at = place + len(piece)
        return [*found, text[at:end]]


def template(text: str, translation: str = "") -> Template:
    """The template of a message of the catalogue."""
    pieces, gaps = [""], []
    for fixed, name, kind, _ in Formatter().parse(text):
        pieces[-1] += fixed
        if name is not None:
            gaps.append(Gap(name, kind or ""))
            pieces.append("")
    words = tuple((fixed, name) for fixed, name, _, _ in Formatter().parse(translation))
    return Template(tuple(pieces), tuple(gaps), words, sum(map(len, pieces)))


@dataclass
class Catalogue:
    """Templates by their first letter, those that begin with a gap under the empty one."""

    by_letter: dict[str, list[Template]] = field(default_factory=dict)

    def add(self, one: Template) -> None:
        """Add a template."""
        self.by_letter.setdefault(one.pieces[0][:1], []).append(one)

    def best(self, text: str) -> Found | None:
        """The template that shares most with ``text``, and what stands in its gaps.

        One with the end of a sentence in a gap for data is taken only where no other fits: that would more
        often be words of ours than data.
        """
        found: Found | None = None
        for one in (*self.by_letter.get(text[:1], ()), *self.by_letter.get("", ())):
            values = one.match(text)
            if values is not None:
                found = heavier(found, Found(one, values))
        return found


@dataclass(frozen=True)
class Found:
    """A template that fits a text, and what stands in its gaps."""

    one: Template
    values: list[str]

    @property
    def rank(self) -> tuple[bool, int]:
        """Higher = says more of the text."""
        data = (value for gap, value in zip(self.one.gaps, self.values, strict=True) if gap.kind != PART)
        return not any(_ENDS.search(value) for value in data), self.one.weight


def heavier(first: Found | None, second: Found | None) -> Found | None:
    """The one that says more; the first of two that say as much."""
    if first is None or second is None:
        return first or second
    return second if second.rank > first.rank else first


class Translator:
    """Translates messages into one language.

    Args:
        entries: Context, template and translation of each.
    """

    def __init__(self, entries: Iterator[tuple[str, str, str]]) -> None:
        self._sentences, self._parts = Catalogue(), Catalogue()
        self._more = template(_MORE)
        for context, text, translation in entries:
            one = template(text, translation)
            if context == LIST:
                self._more = one
            elif len(re.findall(r"[^\W\d_]", "".join(one.pieces))) >= _FEWEST:
                (self._parts if context == PART else self._sentences).add(one)

    def __call__(self, text: str, *, several: bool = False) -> str:
        """``text`` in the language, as far as its sentences are known.

        Args:
            text: A message.
            several: Message and remedy may stand in it one after the other: no gap reaches over the end of a
                sentence where it need not. Otherwise whole sentences in a gap are data.
        """
        return self._text(text, 0, several)

    def _text(self, text: str, depth: int, several: bool = False) -> str:
        if depth > _DEEPEST:
            return text
        whole = None if several else self._best(text)
        if whole is not None:
            return self._filled(whole, depth)
        return self._joined(_ENDS.split(text, _MOST_SENTENCES), depth)

    def _best(self, text: str) -> Found | None:
        return heavier(self._sentences.best(text), self._parts.best(text))

    def _joined(self, sentences: list[str], depth: int) -> str:
        """The sentences one after the other, taken together where one template says several of them."""
        # best[i]: most characters of templates from sentence i on, and the words of that.
        best: list[tuple[int, str]] = [(0, "")] * (len(sentences) + 1)
        for first in reversed(range(len(sentences))):
            weight, rest = best[first + 1]
            best[first] = weight, _spaced(sentences[first], rest)
            for last in range(first + 1, len(sentences) + 1):
                found = self._best(" ".join(sentences[first:last]))
                weight, rest = best[last]
                if found is not None and found.one.weight + weight > best[first][0]:
                    best[first] = found.one.weight + weight, _spaced(self._filled(found, depth), rest)
        return best[0][1]

    def _filled(self, found: Found, depth: int) -> str:
        values = zip(found.one.gaps, found.values, strict=True)
        given = {gap.name: self._value(gap, value, depth) for gap, value in values}
        return "".join(fixed + (given[name] if name is not None else "") for fixed, name in found.one.words)

    def _value(self, gap: Gap, value: str, depth: int) -> str:
        if gap.kind == LIST:
            more = self._more.match(value) if self._more.words else None
            return self._filled(Found(self._more, more), depth) if more else value
        words = value.strip()
        if gap.kind != PART or not words:
            return value
        said = self._text(words, depth + 1)
        return said if said != words else value


def _spaced(words: str, rest: str) -> str:
    """Two sentences side by side: Chinese full stops bring their own space."""
    return words + rest if not rest or words.endswith(("。", "？", "！")) else f"{words} {rest}"


def _english(text: str, *, several: bool = False) -> str:
    return text


@functools.cache
def translator(name: str) -> Callable[..., str]:
    """Translates messages of the lower layers into the language ``name``; read when it is first needed.

    Args:
        name: Key of ``language.LANGUAGES``; anything else, which may come from an address, means English.
    """
    path = FOLDER / f"{name}.po"
    if name == USUAL or not name.isalpha() or not path.is_file():
        return _english
    with path.open("rb") as file:
        entries = read_po(file, locale=name, domain="tracin_viz")
    return Translator(
        (str(entry.context or ""), str(entry.id), str(entry.string))
        for entry in entries
        if entry.id and entry.string
    )


def said(text: str) -> str:
    """A message of the lower layers in the language of this visit."""
    return str(translator(language())(text))


def all_said(text: str) -> str:
    """The same for a text that may hold message and remedy, as jobs keep it."""
    return str(translator(language())(text, several=True))


def said_place(place: str) -> str:
    """Where a problem is: ``train.csv line 5`` has a word of ours; a single word is the name of a file."""
    return said(place) if " " in place else place


def answering(headers: Mapping[str, str]) -> Callable[..., str]:
    """Translates for whoever sent a request with ``headers`` to one of our routes."""
    return translator(preferred(headers.get(LANGUAGE_HEADER)))

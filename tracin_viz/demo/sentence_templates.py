"""Sentence templates as Home Assistant writes them, and random sentences from them.

The notation (of the project's ``hassil`` library): ``(a|b)`` one of several, ``[a]`` or not, ``(a;b)`` in
any order, ``<rule>`` a named template, ``{list:slot}`` a word from a named list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tracin_viz.errors import InputError

_CLOSING = {"(": ")", "[": "]"}
_SPECIAL = re.compile(r"[()\[\]|;<{]")
#: Rules may name rules; one that names itself would never end.
_DEEPEST = 20


@dataclass(frozen=True)
class Text:
    """Letters as they are."""

    text: str


@dataclass(frozen=True)
class Reference:
    """``<name>`` (a rule) or ``{name}`` (a list)."""

    kind: str
    name: str


@dataclass(frozen=True)
class Group:
    """``how`` is ``"sequence"``, ``"one"`` (of the parts) or ``"any order"``."""

    how: str
    parts: tuple[Node, ...]
    optional: bool = False


Node = Text | Reference | Group


def parse(template: str) -> Node:
    """The structure of a template.

    Raises:
        InputError: A bracket is not closed, or closes nothing.
    """
    node, end = _group(template, 0, "", False)
    if end != len(template):
        raise _broken(template, end)
    return node


def needs_words(node: Node, rules: Mapping[str, Node], depth: int = 0) -> bool:
    """Whether every sentence has a word that is not from a list (``[the] {name}`` has none)."""
    if isinstance(node, Text):
        return bool(node.text.strip())
    if isinstance(node, Reference):
        return node.kind == "rule" and depth < _DEEPEST and needs_words(rules[node.name], rules, depth + 1)
    if node.optional:
        return False
    found = [needs_words(part, rules, depth) for part in node.parts]
    return all(found) if node.how == "one" else any(found)


class Sampler:
    """Draws sentences.

    Args:
        rules: Structures by rule name.
        word: Gives a word (or a template in turn) for a list's name.
        random: Source of chance.
    """

    def __init__(
        self, rules: Mapping[str, Node], word: Callable[[str], Node], random: np.random.Generator
    ) -> None:
        self._rules = rules
        self._word = word
        self._random = random

    def sentence(self, node: Node) -> str:
        """One sentence, with single spaces."""
        return " ".join(self._draw(node, 0).split())

    def _draw(self, node: Node, depth: int) -> str:
        if depth > _DEEPEST:
            raise InputError(
                "A sentence template names itself.", remedy="Use another version of the package."
            )
        if isinstance(node, Text):
            return node.text
        if isinstance(node, Reference):
            inner = self._rules[node.name] if node.kind == "rule" else self._word(node.name)
            return self._draw(inner, depth + 1)
        if node.optional and self._random.random() < 0.5:
            return ""
        if node.how == "one":
            return self._draw(node.parts[self._random.integers(len(node.parts))], depth)
        drawn = [self._draw(part, depth) for part in node.parts]
        if node.how == "any order":
            return " ".join(drawn[place] for place in self._random.permutation(len(drawn)))
        return "".join(drawn)


def _group(template: str, start: int, closing: str, optional: bool) -> tuple[Group, int]:
    """The group that begins at ``start`` (after its bracket) and the place after its end."""
    branches: list[list[Node]] = [[]]
    separators: set[str] = set()
    place = start
    while place < len(template):
        sign = template[place]
        if sign == closing:
            return _joined(branches, separators, optional), place + 1
        if sign in "])":
            raise _broken(template, place)
        if sign in "|;" and closing:
            separators.add(sign)
            branches.append([])
            place += 1
            continue
        node, place = _node(template, place)
        branches[-1].append(node)
    if closing:
        raise _broken(template, start)
    return _joined(branches, separators, optional), place


def _node(template: str, place: int) -> tuple[Node, int]:
    sign = template[place]
    if sign in _CLOSING:
        return _group(template, place + 1, _CLOSING[sign], sign == "[")
    if sign in "<{":
        end = template.find(">" if sign == "<" else "}", place)
        if end < 0:
            raise _broken(template, place)
        name = template[place + 1 : end].partition(":")[0]
        return Reference("rule" if sign == "<" else "list", name), end + 1
    match = _SPECIAL.search(template, place + 1)
    text_end = match.start() if match else len(template)
    return Text(template[place:text_end]), text_end


def _joined(branches: list[list[Node]], separators: set[str], optional: bool) -> Group:
    if not separators:
        return Group("sequence", tuple(branches[0]), optional)
    how = "any order" if separators == {";"} else "one"
    return Group(how, tuple(Group("sequence", tuple(branch)) for branch in branches), optional)


def _broken(template: str, place: int) -> InputError:
    return InputError(
        f"The sentence template '{template}' has a bracket without its partner at sign {place + 1}.",
        remedy="Use another version of the package home-assistant-intents.",
    )

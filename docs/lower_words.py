"""The words of the lower layers that a page can show, read from their syntax trees for ``make catalogue``.

Errors, problems, notes and stages are English where they are made, often with values in them. Each becomes a
template (``f"'{shown(path.name)}' is empty."`` → ``'{name}' is empty.``), which ``ui.translation`` finds in
what it is given. There are two kinds:

* *sentences*: what errors and problems are made with, and every literal that ends like a sentence;
* *parts*: words that code puts into a sentence or says on their own (kinds, stages, where a rate comes from).
  A value that holds such words is written ``{why:part}`` and translated as well; all others are data.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from docs import lower_rules as rules
from docs.lower_values import Literals, Module, modules, name_of

ROOT = Path(__file__).resolve().parents[1]
_SENTENCE = re.compile(r"[^\W\d_]{2}\S* +\S.*[.?!…]\s*\Z", re.DOTALL)
_CODE = re.compile(r"\b(SELECT|INSERT|CREATE|UPDATE|DELETE|PRAGMA|WHERE|ALTER|VALUES)\b|</|\\")
Said = tuple[str, str]  # kind and template


def messages() -> dict[Said, list[str]]:
    """Every template by kind (``""`` or ``"part"``) and text, with the files that say it, in their order."""
    found: dict[Said, list[str]] = {}
    known = modules(ROOT / "tracin_viz", without=rules.ELSEWHERE)
    literals = Literals(known)
    for module in known.values():
        if module.name in rules.PYTHON_ONLY:
            continue
        for said in Reader(literals).read(module):
            places = found.setdefault(said, [])
            if module.name not in places:
                places.append(module.name)
    found |= {("part", text): [place] for text, place in rules.MORE.items()}
    found[("list", "{text} and {n} more")] = ["tracin_viz/data/dataset.py"]  # what ``listed`` makes
    return {said: places for said, places in found.items() if _is_said(said, found)}


def _is_said(said: Said, found: dict[Said, list[str]]) -> bool:
    kind, text = said
    letters = re.sub(r"{[^}]*}", "", text)
    if _CODE.search(text) or not re.search(r"[^\W\d_]{2}", letters):
        return False
    return kind != "part" or not (text in rules.NAMES or text in rules.FIELDS or ("", text) in found)


class Reader:
    """Reads what modules say."""

    def __init__(self, literals: Literals) -> None:
        self._literals = literals
        self._parts: list[tuple[Module, ast.expr]] = []
        self._read: set[ast.expr] = set()

    def read(self, module: Module) -> Iterator[Said]:
        """The templates of one module, and the parts that they are made with."""
        for kind, value in _spoken(module):
            for text in self.templates(module, value):
                yield kind, text
        while self._parts:
            where, value = self._parts.pop()
            if value in self._read:  # words that are made longer by and by hold themselves
                continue
            self._read.add(value)
            for text in self.templates(where, value):
                yield "part", text

    def templates(self, module: Module, value: ast.expr) -> Iterator[str]:
        """What ``value`` can say, each value in it as a placeholder."""
        if isinstance(value, ast.IfExp):
            yield from self.templates(module, value.body)
            yield from self.templates(module, value.orelse)
        elif isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value.replace("{", "{{").replace("}", "}}").strip()
        elif isinstance(value, ast.JoinedStr):
            yield from (text.strip() for text in self._joined(module, value))
        elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            sides = [list(self._side(module, side)) for side in (value.left, value.right)]
            for left, right in itertools.product(*sides):
                yield (left + right).strip()
        else:
            for where, literal in self._literals.of(module, value):
                yield from self.templates(where, literal)

    def _side(self, module: Module, value: ast.expr) -> Iterator[str]:
        # Blanks at the ends of what is put together belong to the words.
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value.replace("{", "{{").replace("}", "}}")
        elif isinstance(value, ast.JoinedStr):
            yield from self._joined(module, value)
        elif isinstance(value, ast.IfExp):
            yield from (*self._side(module, value.body), *self._side(module, value.orelse))
        elif isinstance(value, ast.BinOp):
            sides = [list(self._side(module, side)) for side in (value.left, value.right)]
            yield from (left + right for left, right in itertools.product(*sides))
        else:
            yield self._placeholder(module, ast.FormattedValue(value, -1), frozenset())

    def _joined(self, module: Module, value: ast.JoinedStr) -> Iterator[str]:
        """The templates of an f-string: several where a choice between literals stands in it."""
        texts = [("", frozenset[str]())]
        for part in value.values:
            if isinstance(part, ast.Constant):
                fixed = str(part.value).replace("{", "{{").replace("}", "}}")
                texts = [(text + fixed, used) for text, used in texts]
            elif isinstance(part, ast.FormattedValue):
                chosen = _choice(part.value)
                if chosen:
                    texts = [(text + one, used) for text, used in texts for one in chosen]
                else:
                    texts = [
                        (text + new, used | {new})
                        for text, used in texts
                        for new in [self._placeholder(module, part, used)]
                    ]
        return (text for text, _ in texts)

    def _placeholder(self, module: Module, slot: ast.FormattedValue, used: frozenset[str]) -> str:
        name = wanted = _name(slot.value)
        taken = {one.strip("{}").partition(":")[0] for one in used}
        for number in itertools.count(2):
            if name not in taken:
                break
            name = f"{wanted}{number}"
        if isinstance(slot.value, ast.Call) and name_of(slot.value) == "listed":
            return f"{{{name}:list}}"
        if "strerror" in ast.unparse(slot.value):
            return f"{{{name}:part}}"
        if slot.format_spec is not None or _is_data(slot.value):
            return f"{{{name}}}"
        words = [(where, one) for where, one in self._literals.of(module, slot.value) if _is_worded(one)]
        self._parts += words
        return f"{{{name}:part}}" if words or wanted in rules.WORDS | rules.SENTENCES else f"{{{name}}}"


def _choice(value: ast.expr) -> list[str]:
    """The literals that a choice in an f-string is between; empty where it holds anything else."""
    sides = [value.body, value.orelse] if isinstance(value, ast.IfExp) else []
    found = [side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)]
    return found if len(found) == len(sides) else []


def _is_worded(value: ast.expr) -> bool:
    """Words of a language, rather than the name of a field, a file or a setting."""
    if not isinstance(value, ast.Constant):
        return isinstance(value, ast.JoinedStr)
    text = str(value.value).strip()
    return " " in text or (re.fullmatch(r"[A-Z]?[a-z]{3,}", text) is not None and text not in rules.FIELDS)


def _is_data(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return name_of(value) in rules.DATA
    return isinstance(value, (ast.BinOp, ast.Attribute)) and _name(value) not in rules.WORDS | rules.SENTENCES


def _spoken(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """Arguments that are words, and literals that end like sentences, in the order of the file."""
    quiet = _quiet(module.tree)
    translated = module.name.startswith(rules.TRANSLATED)
    phrases = module.name in rules.PHRASES
    for node in ast.walk(module.tree):
        if node in quiet:
            continue
        if isinstance(node, ast.Call) and name_of(node) not in rules.UNSEEN:
            if not translated or name_of(node).endswith("Error"):
                yield from _arguments(node)
        elif isinstance(node, (ast.Constant, ast.JoinedStr)) and not translated:
            if _ends_like_a_sentence(node):
                yield "", node
            elif phrases and _is_phrase(node):
                yield "part", node


def _arguments(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    name = name_of(call)
    given = {one.arg: one.value for one in call.keywords if one.arg}
    if name.endswith("Error") and call.args:
        given["message"] = call.args[0]
    elif name == "Problem":
        given |= dict(zip(("kind", "", "message", "remedy"), call.args, strict=False))
    elif name in rules.KINDS and call.args:
        given["kind"] = call.args[0]
    for argument, value in given.items():
        if argument in rules.SENTENCES:
            yield "", value
        elif argument in rules.WORDS or (argument == "kind" and name in rules.KINDS):
            yield "part", value


def _ends_like_a_sentence(node: ast.Constant | ast.JoinedStr) -> bool:
    return bool(_SENTENCE.search(_outline(node)))


def _is_phrase(node: ast.Constant | ast.JoinedStr) -> bool:
    return bool(re.search(r"[^\W\d_]{2}\S* +\S", _outline(node)))


def _outline(node: ast.Constant | ast.JoinedStr) -> str:
    """A literal with its values left out."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "xx" for part in node.values)


def _quiet(tree: ast.Module) -> set[ast.AST]:
    """Nodes that nobody sees: docstrings, pieces of f-strings, logs and errors of programmers."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            found |= {one.value for one in node.body if _is_text(one)}
        elif isinstance(node, ast.JoinedStr):
            found |= {one for part in node.values for one in ast.walk(part)}
        elif isinstance(node, ast.Call) and (
            name_of(node) in rules.UNSEEN or "_log" in ast.unparse(node.func).split(".")
        ):
            found |= set(ast.walk(node))
        elif isinstance(node, (ast.Dict, ast.Subscript, ast.Compare)):
            keys = node.keys if isinstance(node, ast.Dict) else [getattr(node, "slice", None)]
            compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            found |= {one for one in (*keys, *compared) if one is not None}
        elif isinstance(node, ast.BinOp):  # pieces of a message that is put together
            found |= {node.left, node.right} if _in_message(node) else set()
    return found


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _in_message(node: ast.BinOp) -> bool:
    return isinstance(node.op, ast.Add) and isinstance(node.left, (ast.JoinedStr, ast.Constant, ast.BinOp))


def _name(value: ast.expr) -> str:
    """A name for the place of ``value``: the last name in it that says what it is."""
    if isinstance(value, ast.Name):
        return value.id.strip("_").lower()
    if isinstance(value, ast.Attribute):
        return value.attr.strip("_").lower()
    if isinstance(value, ast.Subscript):
        if isinstance(value.slice, ast.Constant) and isinstance(value.slice.value, str):
            return value.slice.value
        return _name(value.value)
    if isinstance(value, ast.Call):
        if name_of(value) == "len":
            return "n"
        for argument in value.args:
            if (inner := _name(argument)) != "value":
                return inner
        return name_of(value).strip("_").lower() or "value"
    if isinstance(value, ast.BinOp):
        return _name(value.left) if _name(value.left) != "value" else _name(value.right)
    if isinstance(value, (ast.GeneratorExp, ast.ListComp)):
        return _name(value.generators[0].iter)
    if isinstance(value, ast.IfExp):
        return _name(value.test) if not isinstance(value.test, ast.Compare) else "case"
    return "value"


if __name__ == "__main__":
    for (kind, text), places in messages().items():
        print(kind or "-", places[0].removeprefix("tracin_viz/"), repr(text))

"""What a name or a call of the lower layers can hold, as far as it is written as a literal somewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Literals behind literals behind literals: more is no way to write a message.
DEEPEST = 5
#: What these give is in the reader's language already.
TRANSLATING = {"tr", "trn", "later"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """One file of the lower layers.

    Attributes:
        name: Its path from the repository on.
        tree: Its syntax tree.
        values: What it assigns to each name, in a function or outside of all.
        functions: Its functions and methods, by name.
        owner: The function around each node.
        imported: Module that a name comes from.
    """

    name: str
    tree: ast.Module
    values: dict[tuple[Function | None, str], list[ast.expr]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    owner: dict[ast.AST, Function | None] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)


def modules(package: Path, *, without: tuple[str, ...]) -> dict[str, Module]:
    """The modules of ``package`` by dotted name, without its parts ``without``."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package).with_suffix("")
        if inside.parts[0] not in without:
            name = ".".join((package.name, *inside.parts)).removesuffix(".__init__")
            text = path.relative_to(package.parent).as_posix()
            found[name] = described(text, path.read_text("utf-8"))
    return found


def described(name: str, source: str) -> Module:
    """The module called ``name`` with the text ``source``."""
    module = Module(name, ast.parse(source))

    def visit(node: ast.AST, function: Function | None) -> None:
        module.owner[node] = function
        if isinstance(node, Function):
            module.functions.setdefault(node.name, node)
            function = node
        elif isinstance(node, ast.ImportFrom) and node.module:
            module.imported |= {alias.asname or alias.name: node.module for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for name, value in _pairs(target, node.value):
                    module.values.setdefault((function, name), []).append(value)
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(module.tree, None)
    return module


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.IfExp):
        yield from _pairs(target, value.body)
        yield from _pairs(target, value.orelse)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, part in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, part)


def name_of(call: ast.Call) -> str:
    """The last name of what is called."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


class Literals:
    """The literals that expressions can be.

    Args:
        known: Every module by dotted name.
    """

    def __init__(self, known: Mapping[str, Module]) -> None:
        self._known = known
        self._calls: dict[str, list[tuple[Module, ast.Call]]] = {}
        for module in known.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    self._calls.setdefault(name_of(node), []).append((module, node))

    def of(self, module: Module, value: ast.expr, deep: int = 0) -> list[tuple[Module, ast.expr]]:
        """Strings and f-strings that ``value`` can be, each with the module it stands in."""
        if deep > DEEPEST:
            return []
        if isinstance(value, ast.JoinedStr) or (
            isinstance(value, ast.Constant) and isinstance(value.value, str)
        ):
            return [(module, value)]
        if isinstance(value, ast.IfExp):
            return [*self.of(module, value.body, deep), *self.of(module, value.orelse, deep)]
        if isinstance(value, ast.BoolOp):
            return [one for part in value.values for one in self.of(module, part, deep)]
        if isinstance(value, ast.Dict):
            return [one for part in value.values for one in self.of(module, part, deep + 1)]
        if isinstance(value, ast.Subscript):
            return self.of(module, value.value, deep + 1) if _is_table(value.value) else []
        if isinstance(value, ast.Name):
            return self._named(module, value, deep)
        if isinstance(value, ast.Call):
            return self._called(module, value, deep)
        return []

    def _named(self, module: Module, name: ast.Name, deep: int) -> list[tuple[Module, ast.expr]]:
        function = module.owner.get(name)
        while function is not None:
            if values := module.values.get((function, name.id)):
                return [one for value in values for one in self.of(module, value, deep + 1)]
            if name.id in _parameters(function):
                return self._passed(module, function, name.id, deep)
            function = module.owner.get(function)
        if values := module.values.get((None, name.id)):
            return [one for value in values for one in self.of(module, value, deep + 1)]
        source = self._known.get(module.imported.get(name.id, ""))
        if source is not None:
            values = source.values.get((None, name.id), [])
            return [one for value in values for one in self.of(source, value, deep + 1)]
        return []

    def _passed(
        self, home: Module, function: Function, name: str, deep: int
    ) -> list[tuple[Module, ast.expr]]:
        """What calls give for a parameter of ``function``, which stands in the module ``home``."""
        found = []
        for module, call in self._calls.get(function.name, ()):
            # A method of the same name may be anybody's, unless it is called beside its definition.
            imported = self._known.get(module.imported.get(function.name, "")) is home
            if module is home or (imported and isinstance(call.func, ast.Name)):
                given = arguments(call, function)
                if name in given:
                    found += self.of(module, given[name], deep + 1)
        return found

    def _called(self, module: Module, call: ast.Call, deep: int) -> list[tuple[Module, ast.expr]]:
        if isinstance(call.func, ast.Attribute):
            if call.func.attr == "get" and _is_table(call.func.value):
                values = [call.func.value, *call.args[1:]]
                return [one for value in values for one in self.of(module, value, deep + 1)]
            return []
        name = name_of(call)
        if name in TRANSLATING:
            return []
        source = module if name in module.functions else self._known.get(module.imported.get(name, ""))
        function = source.functions.get(name) if source is not None else None
        if source is None or function is None:
            return []
        returned = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Return) and node.value is not None and source.owner[node] is function
        ]
        return [one for value in returned for one in self.of(source, value, deep + 1)]


def arguments(call: ast.Call, function: Function) -> dict[str, ast.expr]:
    """What ``call`` gives for the parameters of ``function``."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    given = dict(zip(names, call.args, strict=False))
    return {**given, **{one.arg: one.value for one in call.keywords if one.arg}}


def _parameters(function: Function) -> set[str]:
    every = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return {one.arg for one in every}


def _is_table(value: ast.expr) -> bool:
    """A table of the module or a table written in place, rather than one that comes from data."""
    return isinstance(value, ast.Dict) or (isinstance(value, ast.Name) and value.id.isupper())

"""Trusted code: a Python file with ``build_model()``, or a program that ``torch.export`` saved.

Both can do anything that the user can, so both are opened only where the user said so. The Python file may
also name what no weights tell::

    TASK = "tabular"                    # "image", "text" or "tabular"
    TARGET = "number"                   # "class" (the default), "multi-label" or "number"
    CLASSES = ["cat", "dog"]            # names by output index
    def build_model(): ...              # an nn.Module, its weights unset
    def collate(contents): ...          # contents of n examples -> a tensor (n, …) or a dict of such
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.fingerprint import fingerprint, fingerprint_file
from tracin_viz.models.choices import TASKS, Choices
from tracin_viz.models.formats.design import fitted_exactly

TARGETS = ("class", "multi-label", "number")


@dataclass(frozen=True)
class CodeDesign:
    """A network that a file of the user builds.

    Attributes:
        file: The Python file or exported program.
        make: Builds the network.
        task: What it takes.
        classes: Names by output index, as far as they are known.
        target: What it gives.
        collate: How contents become inputs, where the file says so.
        files: All files whose code was run.
    """

    file: Path
    make: Callable[[], torch.nn.Module]
    task: str
    classes: tuple[str, ...]
    target: str
    collate: Callable[[Any], Any] | None = None
    files: tuple[Path, ...] = field(default=())

    @property
    def name(self) -> str:
        """Name of the network's class."""
        return type(self._example).__name__

    def build(self) -> torch.nn.Module:
        """A new network in eval mode on the CPU; the random state of the caller is left alone."""
        with torch.random.fork_rng(devices=[]):
            model = _ran(self.make, self.file, "build_model()")
        if not isinstance(model, torch.nn.Module):
            raise InputError(
                f"build_model() in '{shown(self.file.name)}' returned a {type(model).__name__}.",
                remedy="It must return the network, a torch.nn.Module.",
            )
        for module in model.modules():  # an exported program refuses eval()
            module.training = False
        return model

    def names(self) -> Iterable[str]:
        """Names of the network's tensors."""
        return self._example.state_dict()

    def fitted(self, weights: Mapping[str, torch.Tensor], *, where: str) -> dict[str, torch.Tensor]:
        """``weights`` as a state dict of the network; every name and shape must fit."""
        return fitted_exactly(self._example, weights, where=where, described=self.file.name)

    def identity(self) -> dict[str, object]:
        """The content of every file whose code was run."""
        kept = sorted(fingerprint_file(path) for path in (self.file, *self.files))
        return {"kind": "code", "code": kept, "target": self.target}

    @cached_property
    def _example(self) -> torch.nn.Module:
        return self.build()


def open_code(file: Path, choices: Choices, *, task: str | None) -> CodeDesign:
    """The network that a Python file builds.

    Args:
        file: The file.
        choices: What the user decided; ``trust_code`` above all.
        task: What the run folder suggests, where neither the user nor the file says.

    Raises:
        InputError: The code is not trusted, fails, or does not say enough.
    """
    _check_trust(file, choices)
    _LOADED.pop(file.resolve().parent, None)  # files may have changed since they were imported
    module = _imported(file)
    make = getattr(module, "build_model", None)
    if not callable(make):
        raise InputError(
            f"'{shown(file.name)}' defines no build_model().",
            remedy="Add a function build_model() that returns the network, its weights unset.",
        )
    collate = getattr(module, "collate", None)
    return CodeDesign(
        file=file,
        make=make,
        task=_one_of("TASK", choices.task or getattr(module, "TASK", None) or task, TASKS, file),
        classes=_classes(choices.classes or getattr(module, "CLASSES", None) or (), file),
        target=_one_of("TARGET", getattr(module, "TARGET", "class"), TARGETS, file),
        collate=collate if callable(collate) else None,
        files=_neighbours(file),
    )


def open_exported(file: Path, choices: Choices, *, task: str | None) -> CodeDesign:
    """The network in a ``.pt2`` of ``torch.export.save``.

    Raises:
        InputError: It is not trusted (its loader can fall back to pickle), or cannot be opened.
    """
    _check_trust(file, choices)
    program = _ran(lambda: torch.export.load(file), file, "torch.export.load")
    return CodeDesign(
        file=file,
        make=lambda: program.module(check_guards=False),
        task=_one_of("task", choices.task or task, TASKS, file),
        classes=_classes(choices.classes or (), file),
        target="class",
    )


def _check_trust(file: Path, choices: Choices) -> None:
    if not choices.trust_code:
        kind = "an exported program" if file.suffix == ".pt2" else "Python code"
        raise InputError(
            f"'{shown(file.name)}' is {kind}, which could do anything on this computer; it was not opened.",
            remedy="If you know where it comes from, allow it with --trust-code.",
        )


def _imported(file: Path) -> ModuleType:
    """The file as a module; files beside it can be imported by it, as when it is run as a script."""
    name = "tracin_viz_user_" + fingerprint([str(file.resolve()), fingerprint_file(file)])[:12]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"'{shown(file.name)}' is not a Python file.", remedy="Its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader = spec.loader
    _ran(lambda: loader.exec_module(module), file, "importing it")
    return module


def _ran(work: Callable[[], Any], file: Path, what: str) -> Any:
    try:
        with _beside(file):
            return work()
    except (Exception, SystemExit) as error:  # the user's code raises whatever it likes
        raise InputError(
            f"'{shown(file.name)}' failed in {what}: {type(error).__name__}: {shown(error, limit=160)}.",
            remedy="Try it in the environment of this app: python -c 'import …; build_model()'.",
        ) from error


#: Modules that files of a user imported from their own folder, by that folder.
_LOADED: dict[Path, dict[str, ModuleType]] = {}


@contextmanager
def _beside(file: Path) -> Iterator[None]:
    """Lets code import the files in its folder, as when it is run as a script.

    Two models may each have a ``layers.py`` of their own, so outside this block nobody else finds them. No
    compiled files are written into the folder: it is only read.
    """
    folder = file.resolve().parent
    written = sys.dont_write_bytecode
    before = set(sys.modules)
    hidden = {name: sys.modules[name] for name in _LOADED.get(folder, {}) if name in sys.modules}
    sys.modules.update(_LOADED.get(folder, {}))
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        sys.path.remove(str(folder))
        kept = _LOADED.setdefault(folder, {})
        for name, module in list(sys.modules.items()):
            place = getattr(module, "__file__", None)
            if name in kept or (name not in before and _is_own(name, place, folder)):
                kept[name] = sys.modules.pop(name)
        sys.modules.update(hidden)


def _is_own(name: str, place: str | None, folder: Path) -> bool:
    """Whether a module is a file of the user's folder, and not one of a package that happens to lie there."""
    if place is None or name.startswith("tracin_viz") or "site-packages" in place:
        return False
    return folder in Path(place).resolve().parents


def _neighbours(file: Path) -> tuple[Path, ...]:
    """The files in the folder of ``file`` that it imported."""
    modules = _LOADED.get(file.resolve().parent, {}).values()
    paths = {Path(module.__file__).resolve() for module in modules if module.__file__}
    return tuple(sorted(path for path in paths if path != file.resolve()))


def _one_of(name: str, value: object, possible: tuple[str, ...], file: Path) -> str:
    if value in possible:
        return str(value)
    said = f"'{shown(file.name)}' does not say {name}."
    if value is not None:
        said = f"'{shown(file.name)}' says '{shown(value)}' for {name}."
    raise InputError(said, remedy=f"Set {name} there to one of {', '.join(possible)}.")


def _classes(names: object, file: Path) -> tuple[str, ...]:
    if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise InputError(f"CLASSES in '{shown(file.name)}' is no list of names.", remedy='Write ["cat", "dog"].')

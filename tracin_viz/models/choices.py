"""What a person decides about a model where its files do not say, checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

TASKS = ("image", "text", "tabular")
_OPTIONS = ("preprocessing", "ema", "prefix", "classes", "task")


@dataclass(frozen=True)
class Choices:
    """The arguments of ``bundle.open_run_folder``, in one hand.

    Attributes:
        checkpoints: Pattern on the names of checkpoint folders or files; ``None`` = all.
        learning_rates: One weight per chosen checkpoint; ``None`` = from the files of the training.
        architecture: A ``config.json`` or its folder, the folder of an adapter's base, a Python file with
            ``build_model()``, or an exported program; ``None`` = looked for in the run folder.
        trust_code: Whether a Python file or an exported program may be run.
        preprocessing: Size, mean, std and colour order of images, over what the files say.
        ema: Take the averaged weights (EMA) of a checkpoint that holds them beside the others.
        prefix: What stands before each name of the weights; ``None`` = found by what fits.
        classes: Names of the classes in the order of the outputs, over what the files say.
        task: ``"image"``, ``"text"`` or ``"tabular"``, for trusted code that does not say.
    """

    checkpoints: str | None = None
    learning_rates: tuple[float, ...] | None = None
    architecture: Path | None = None
    trust_code: bool = False
    preprocessing: Mapping[str, Any] | None = None
    ema: bool = False
    prefix: str | None = None
    classes: tuple[str, ...] | None = None
    task: str | None = None

    @classmethod
    def made(
        cls,
        *,
        checkpoints: str | None,
        learning_rates: Sequence[float] | None,
        architecture: Path | None,
        trust_code: bool,
        options: Mapping[str, Any] | None,
    ) -> Choices:
        """The choices in the arguments of ``open_run_folder``.

        Raises:
            InputError: An option is not known or of the wrong kind.
        """
        found = _checked(options or {})
        return cls(
            checkpoints=checkpoints,
            learning_rates=None if learning_rates is None else tuple(learning_rates),
            architecture=None if architecture is None else Path(architecture),
            trust_code=trust_code,
            preprocessing=found.get("preprocessing"),
            ema=found.get("ema") or False,
            prefix=found.get("prefix"),
            classes=None if found.get("classes") is None else tuple(found["classes"]),
            task=found.get("task"),
        )


def _checked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise InputError(
            f"The option '{shown(unknown[0])}' of a model is not known.",
            remedy=f"Possible: {', '.join(_OPTIONS)}.",
        )
    kinds: dict[str, tuple[Any, str]] = {
        "preprocessing": (Mapping, "a table such as {'size': 32}"),
        "ema": (bool, "true or false"),
        "prefix": (str, "a text such as 'model.'"),
        "classes": (list | tuple, "a list of names"),
        "task": (str, "one of " + ", ".join(TASKS)),
    }
    for name, value in options.items():
        kind, meant = kinds[name]
        if value is not None and not isinstance(value, kind):
            raise InputError(
                f"The option '{name}' of a model is {shown(value)}.", remedy=f"It must be {meant}."
            )
    if options.get("task") not in (None, *TASKS):
        raise InputError(
            f"A model's task cannot be '{shown(options['task'])}'.", remedy=f"Possible: {', '.join(TASKS)}."
        )
    _check_classes(options.get("classes"))
    return options


def _check_classes(names: Sequence[object] | None) -> None:
    if names is None:
        return
    if not names or not all(isinstance(name, str) and name for name in names) or len({*names}) != len(names):
        raise InputError(
            "The names of the model's classes are empty or repeat each other.",
            remedy="Give one name per output, in the order of the outputs.",
        )

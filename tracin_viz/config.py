"""Settings: where the workspace is, what is asked of a run, and how fast it may go.

Fields that change the answer (``ResultSettings``) and fields that only change the speed
(``SpeedSettings``) are two classes, so that a content key is "all of the first and none of the second".
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self, cast

from tracin_viz.errors import InputError

HOME_VARIABLE = "TRACIN_VIZ_HOME"
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")
SKETCHES = ("random", "pca")
AUDIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Home:
    """The workspace folder and the places inside it (DESIGN §5).

    Attributes:
        root: The folder itself; made on first use.
    """

    root: Path

    @classmethod
    def resolve(cls, value: str | Path | None = None) -> Home:
        """The workspace named by ``value``, else by ``$TRACIN_VIZ_HOME``, else ``./workspace``."""
        chosen = value or os.environ.get(HOME_VARIABLE) or "workspace"
        return cls(Path(chosen).expanduser().resolve())

    @property
    def database(self) -> Path:
        """SQLite file with audits' jobs, relabel events, saved views and thumbnails."""
        return self.root / "workspace.db"

    @property
    def artifacts(self) -> Path:
        """Content-addressed results."""
        return self.root / "artifacts"

    @property
    def audits(self) -> Path:
        """One folder per registered audit."""
        return self.root / "audits"

    @property
    def runtime(self) -> Path:
        """Logs, locks and the query process's address: nothing here needs keeping."""
        return self.root / "runtime"

    def audit_folder(self, name: str) -> Path:
        """The folder of audit ``name``.

        Raises:
            InputError: ``name`` is not a plain name (it could otherwise leave the workspace).
        """
        if not AUDIT_NAME.fullmatch(name):
            raise InputError(
                f"'{name}' cannot be the name of an audit.",
                remedy="Use 1-64 letters, digits, dots, dashes or underscores; start with a letter or digit.",
            )
        return self.audits / name


class _Record:
    """What the frozen dataclasses below share: the way to plain values and back."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and for content keys."""
        return asdict(cast(Any, self))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The record in ``values``.

        Raises:
            InputError: It holds a name that this version does not know.
        """
        names = {field.name for field in fields(cast(Any, cls))}
        unknown = sorted(set(values) - names)
        if unknown:
            raise InputError(
                f"{cls.__name__} does not know {', '.join(unknown)}.",
                remedy=f"Possible: {', '.join(sorted(names))}.",
            )
        return cls(**values)


@dataclass(frozen=True)
class ResultSettings(_Record):
    """What a run computes. Every field is part of the content key.

    Attributes:
        layers: ``"all"``, ``"last"`` (the layer that produces the outputs) or a regular expression on
            parameter names.
        sketch_dim: Numbers per gradient sketch and checkpoint.
        sketch: ``"pca"`` (maps fitted to a pilot of the training data) or ``"random"`` (docs/decisions/0021).
        seed: Seed of the random maps of the sketch.
        loss: Name of the per-example loss.
        numeric_mode: Floating-point type of the passes.
        shard_size: Examples per work unit.
    """

    layers: str = "all"
    sketch_dim: int = 2048
    seed: int = 0
    loss: str = "cross_entropy"
    numeric_mode: str = "float32"
    shard_size: int = 1024
    sketch: str = "pca"

    def key_parts(self) -> dict[str, Any]:
        """The settings as they stand in content keys: random maps as before there was a choice of maps."""
        values = self.as_dict()
        if self.sketch == "random":
            del values["sketch"]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The settings in ``values``; what was recorded before there was a choice of maps had random ones."""
        return super().from_dict({"sketch": "random", **values})

    def __post_init__(self) -> None:
        if self.sketch not in SKETCHES:
            raise InputError(
                f"Sketch maps '{self.sketch}' are not known.", remedy=f"Possible: {', '.join(SKETCHES)}."
            )
        for name, smallest in (("sketch_dim", 16), ("shard_size", 1), ("seed", 0)):
            if getattr(self, name) < smallest:
                raise InputError(f"`{name}` must be at least {smallest}, got {getattr(self, name)}.")
        if self.loss != "cross_entropy":
            raise InputError(f"Loss '{self.loss}' is not known.", remedy="Possible here: cross_entropy.")
        if self.numeric_mode != "float32":
            raise InputError(
                f"Numeric mode '{self.numeric_mode}' is not known.", remedy="Possible here: float32."
            )
        if self.layers not in ("all", "last"):
            try:
                re.compile(self.layers)
            except re.error as error:
                raise InputError(
                    f"`layers` is not a regular expression: '{self.layers}' ({error}).",
                    remedy="Give 'all', 'last' or a regular expression on parameter names.",
                ) from error


@dataclass(frozen=True)
class SpeedSettings(_Record):
    """How a run computes. No field changes an answer beyond rounding (DESIGN §4).

    Attributes:
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` (all GPUs), ``"cuda:1"`` (one of them), ``"mps"``.
        batch_size: Examples per pass; ``None`` = found automatically.
        threads: CPU threads of each process; ``None`` = found automatically.
        workers: Processes that measure units; ``None`` = as many as pay off.
    """

    device: str = "auto"
    batch_size: int | None = None
    threads: int | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if not DEVICE.fullmatch(self.device):
            raise InputError(
                f"Device '{self.device}' is not known.",
                remedy="Possible: auto, cpu, cuda (all GPUs), cuda:0, cuda:1, … (one GPU), mps.",
            )
        for name in ("batch_size", "threads", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"`{name}` must be positive, got {value}.")


@dataclass(frozen=True)
class CheckpointInfo(_Record):
    """Weights with their step and learning-rate weight, as an audit records them.

    Attributes:
        step: Optimizer steps taken when it was written.
        path: File of the weights.
        learning_rate: Mean of the learning rates used since the previous checkpoint (DESIGN §2).
        provenance: Where that number comes from, in plain words.
        epoch: Epochs trained, where known.
        train_loss: Training loss about that time, where known.
    """

    step: int
    path: str
    learning_rate: float
    provenance: str
    epoch: float | None = None
    train_loss: float | None = None

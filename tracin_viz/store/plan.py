"""The plan of a run: which units make up an audit's results, and how they are computed.

The plan is written before the first unit and read by everything after it: a resumed run takes its batch
partition and threads from here, so that it equals an uninterrupted one byte for byte (DESIGN §4), and pages
find the units of an audit by the keys listed here. Whether a unit is done is *not* recorded here: its
presence in the store says so.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from tracin_viz import fingerprint
from tracin_viz.config import Home, ResultSettings
from tracin_viz.errors import NotComputedError
from tracin_viz.portable import rename_durably, sync_file

FORMAT = 2
PLAN = "plan.json"


@dataclass(frozen=True)
class SplitPlan:
    """The units of one split.

    Attributes:
        shards: First and past-the-last row of each shard.
        keys: Artifact key per checkpoint (in the plan's order) and shard.
    """

    shards: tuple[tuple[int, int], ...]
    keys: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class BasisPlace:
    """Where the fitted basis of a run's sketches is (docs/decisions/0021).

    Attributes:
        key: Artifact key: of what it was fitted to.
        digest: SHA-256 of its bytes, part of the keys of the units: sketches by other bytes are no match,
            even where they were fitted to the same examples on another machine.
    """

    key: str
    digest: str


@dataclass(frozen=True)
class RunPlan:
    """What is to be computed and with which partition.

    Attributes:
        settings: What changes the answer.
        checkpoints: Indices into the audit's checkpoints.
        splits: Units per split.
        map_key: Artifact key of the map of the training split.
        batch_size: Examples per pass; 0 until the first unit is measured, where nothing else was asked for.
        threads: CPU threads of each process (sums in another order differ in the last bits).
        device: Where it runs.
        receipt: Key of the request this plan answers (``jobs.receipt``).
        basis: The basis of the sketches; ``None`` with random maps.
    """

    settings: ResultSettings
    checkpoints: tuple[int, ...]
    splits: dict[str, SplitPlan]
    map_key: str
    batch_size: int
    threads: int
    device: str
    receipt: str = ""
    basis: BasisPlace | None = None

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Keys of all gradient units, each once."""
        keys = [key for split in self.splits.values() for row in split.keys for key in row]
        return tuple(dict.fromkeys(keys))

    @cached_property
    def digest(self) -> str:
        """Changes whenever the units or the map do: a short name for all of them."""
        return fingerprint.fingerprint([self.map_key, list(self.units)])

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``plan.json`` holds them."""
        return {
            "format": FORMAT,
            "settings": self.settings.as_dict(),
            "checkpoints": list(self.checkpoints),
            "splits": {
                name: {
                    "shards": [list(shard) for shard in split.shards],
                    "keys": [list(row) for row in split.keys],
                }
                for name, split in self.splits.items()
            },
            "map_key": self.map_key,
            "batch_size": self.batch_size,
            "threads": self.threads,
            "device": self.device,
            "receipt": self.receipt,
            "basis": None if self.basis is None else asdict(self.basis),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunPlan:
        """The plan in ``values``."""
        return cls(
            settings=ResultSettings.from_dict(values["settings"]),
            checkpoints=tuple(values["checkpoints"]),
            splits={
                name: SplitPlan(
                    shards=tuple((start, stop) for start, stop in split["shards"]),
                    keys=tuple(tuple(row) for row in split["keys"]),
                )
                for name, split in values["splits"].items()
            },
            map_key=values["map_key"],
            batch_size=values["batch_size"],
            threads=values["threads"],
            device=values["device"],
            receipt=values["receipt"],
            basis=None if values.get("basis") is None else BasisPlace(**values["basis"]),
        )


def map_key(train: SplitPlan, rates: Sequence[float]) -> str:
    """Artifact key of the map of these units of the training split, weighted by ``rates``."""
    return _map_key(train, tuple(rates))


@lru_cache(maxsize=64)  # pages ask at every rerun, and there are hundreds of units
def _map_key(train: SplitPlan, rates: tuple[float, ...]) -> str:
    parts = {"kind": "map", "format": fingerprint.FORMAT, "units": train.keys, "rates": list(rates)}
    return fingerprint.fingerprint(parts)


def save(home: Home, name: str, plan: RunPlan) -> None:
    """Make ``plan`` the audit's plan, durably and in one step."""
    path = _path(home, name)
    part = path.with_suffix(f".{uuid.uuid4().hex[:8]}.part")
    part.write_text(json.dumps(plan.as_dict(), sort_keys=True))
    sync_file(part)
    rename_durably(part, path)


def load(home: Home, name: str) -> RunPlan | None:
    """The audit's plan; ``None`` before its first run, or when another version wrote it or it is damaged.

    A plan can always be made again from the data and the model; the units it names are found by their keys.
    """
    path = _path(home, name)
    try:
        found = path.stat()
    except OSError:
        return None
    return _read(path, found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _number: int) -> RunPlan | None:
    """The plan in that state of the file; pages ask for it dozens of times at every rerun.

    A plan is always a new file (``save``), so the number of the file tells two of one moment apart.
    """
    try:
        values = json.loads(path.read_text())
        return RunPlan.from_dict(values) if values.get("format") == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def require(home: Home, name: str) -> RunPlan:
    """The audit's plan.

    Raises:
        NotComputedError: No run was started yet.
    """
    plan = load(home, name)
    if plan is None:
        raise NotComputedError(
            f"The influence of audit '{name}' has not been computed.",
            remedy=f"Start it on the Compute page, or with: tracin-viz compute {name}",
        )
    return plan


def _path(home: Home, name: str) -> Path:
    return home.audit_folder(name) / PLAN

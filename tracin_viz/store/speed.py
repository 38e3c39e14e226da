"""How fast the newest run of an audit was, for the estimate of the next one. Nothing else depends on it."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import asdict, dataclass

from tracin_viz.config import Home
from tracin_viz.portable import rename_durably

SPEED = "speed.json"
#: Fewer examples, each counted once per checkpoint, tell of the start more than of the speed.
ENOUGH = 200


@dataclass(frozen=True)
class Speed:
    """What a run measured.

    Attributes:
        examples_per_second: Of all its processes together; each example counted once per checkpoint.
        device: Where it ran.
        layers: Of which layers (``ResultSettings.layers``).
        examples: How many it measured.
    """

    examples_per_second: float
    device: str
    layers: str
    examples: int


def save(home: Home, name: str, speed: Speed) -> None:
    """Keep ``speed`` for audit ``name``; a run too short to tell leaves what was there."""
    if speed.examples < ENOUGH:
        return
    path = home.audit_folder(name) / SPEED
    part = path.with_suffix(f".{uuid.uuid4().hex[:8]}.part")
    part.write_text(json.dumps(asdict(speed)))
    rename_durably(part, path)


def load(home: Home, name: str) -> Speed | None:
    """The speed of the newest run that was long enough; ``None`` where there is none, or it is damaged."""
    try:
        found = Speed(**json.loads((home.audit_folder(name) / SPEED).read_text()))
        rate = float(found.examples_per_second)
    except (OSError, ValueError, TypeError):
        return None
    return found if 0 < rate < math.inf else None

"""Examples and decisions that the tests of exports share."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import numpy as np
import pandas as pd

from tracin_viz.relabel.events import Event, decisions
from tracin_viz.relabel.exports.table import rows

ALPHABET = [*"=+-@\t\r\n'\",;a \x00\u2028é😀", "＝", "NA", "null", "\ufeff"]


def examples(count: int = 6) -> pd.DataFrame:
    """Training examples as the façade tells them."""
    return pd.DataFrame(
        {
            "id": [f"train:{row}" for row in range(count)],
            "source": [f"train/cat/{row}.png" for row in range(count)],
            "label": ["cat"] * count,
            "suggested": ["dog"] * count,
            "score": np.linspace(-1, 1, count) / 3,
            "percentile": [*np.linspace(5, 95, max(0, count - 1)), np.nan],
        }
    )


def events() -> list[Event]:
    """A log in which two people decide, one of them about another split."""
    return [
        Event("train:0", "keep", "ada", "cat", server_ts=1_700_000_000.5, seq=1),
        Event("train:1", "relabel", "ada", "cat", "fox", note="=cmd|' /C calc'!A0", seq=2),
        Event("train:2", "exclude", "bob", "cat", seq=3),
        Event("train:3", "review", "bob", "cat", seq=4),
        Event("train:4", "relabel", "bob", "cat", "cat", seq=5),
        Event("test:0", "keep", "bob", "cat", seq=6),
        Event("train:0", "relabel", "bob", "cat", "fox", seq=7),
        Event("train:0", "keep", "ada", "cat", server_ts=1_700_000_001.5, seq=8),
    ]


def table() -> pd.DataFrame:
    """The export of ``examples`` with ``events``."""
    return rows(examples(), decisions(events()), events())


def hostile(seed: int, count: int = 400) -> list[str]:
    """Texts that CSV, JSON, spreadsheets or file systems could misread."""
    chance = random.Random(seed)
    texts = ["".join(chance.choices(ALPHABET, k=chance.randint(0, 6))) for _ in range(count)]
    return [*texts, "", "'", "''=1", "=1+1", "NaN", "true", "x" * 200_000, "\r", "\n", "\t"]


def tree(folder: Path) -> dict[str, str]:
    """A hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

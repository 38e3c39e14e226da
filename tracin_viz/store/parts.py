"""What is inside a gradient unit: sketch rows, norms, embeddings and one line per example (DESIGN §5).

Rows are kept as fp16 of *unit* norm with a float32 norm beside them: raw fp16 gradients underflow (3 % of
the rows of a converged model became all zero). Rows that are zero or not finite get norm 0 and
``finite = False``: they are shown, but take no part in cosine rankings and clusters.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tracin_viz.errors import NotComputedError, StoreError
from tracin_viz.store.artifacts import ArtifactStore

#: Columns of ``examples.parquet`` with their types, in order.
EXAMPLE_COLUMNS: dict[str, str] = {
    "loss": "float32",
    "predicted": "int64",
    "probability": "float32",
    "margin": "float32",
    "label_probability": "float32",
    "other": "int64",
    "other_probability": "float32",
    "value": "float32",
    "self_influence": "float64",
    "finite": "bool",
}

#: The table of a map artifact: columns x, y, cluster, membership, one line per training example.
MAP_FILE = "map.parquet"

_EXAMPLES, _NORM, _EMBEDDING = "examples.parquet", "norm.npy", "embedding.npy"

_BLOCK = 4096  # rows converted at once: bounds the float64 copy


@dataclass(frozen=True)
class GradientUnit:
    """One checkpoint's measurements of one shard of n examples.

    Attributes:
        rows: (n, d) float16 sketch rows of unit norm; a read-only memory map when read from the store.
        norm: (n,) float32 norms of the sketches; 0 where the gradient is zero or not finite.
        embedding: (n, e) float16 input of the last linear call; e may be 0.
        examples: n lines with the columns of ``EXAMPLE_COLUMNS``.
    """

    rows: NDArray[np.float16]
    norm: NDArray[np.float32]
    embedding: NDArray[np.float16]
    examples: pd.DataFrame

    @classmethod
    def from_measurements(
        cls, sketches: NDArray[np.float32], embedding: NDArray[np.float32], examples: pd.DataFrame
    ) -> GradientUnit:
        """The unit of raw measurements.

        Args:
            sketches: (n, d) gradient sketches, not multiplied by a learning rate.
            embedding: (n, e); values beyond fp16 (±65504) are cut off there, non-finite ones become 0.
            examples: n lines with the columns of ``EXAMPLE_COLUMNS``; ``finite`` becomes False where the
                sketch is zero or not finite.
        """
        rows, norm = unit_rows(sketches)
        largest = float(np.finfo(np.float16).max)
        cut = np.clip(np.nan_to_num(embedding, nan=0.0, posinf=0.0, neginf=0.0), -largest, largest)
        flagged = examples.assign(finite=examples["finite"].to_numpy(dtype=bool) & (norm > 0))
        return cls(rows, norm, cut.astype(np.float16), flagged)


def unit_rows(sketches: NDArray[Any]) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Split (n, d) sketches into fp16 rows of unit norm and their (n,) float32 norms.

    Rows that are zero, not finite, or whose norm leaves the range of float32 become zero with norm 0.
    """
    rows = np.zeros(sketches.shape, np.float16)
    norm = np.zeros(len(sketches), np.float32)
    for start in range(0, len(sketches), _BLOCK):
        block = sketches[start : start + _BLOCK].astype(np.float64)  # squares of float32 may overflow float32
        exact = np.sqrt(np.einsum("nd,nd->n", block, block))
        with np.errstate(over="ignore", under="ignore"):
            stored = exact.astype(np.float32)
        usable = np.isfinite(stored) & (stored > 0)
        norm[start : start + _BLOCK] = np.where(usable, stored, 0)
        rows[start : start + _BLOCK][usable] = block[usable] / exact[usable, None]
    return rows, norm


def write_gradient_unit(store: ArtifactStore, key: str, unit: GradientUnit, manifest: dict[str, Any]) -> None:
    """Store a unit under ``key``; equal units give byte-identical folders.

    Raises:
        StoreError: The parts disagree in length, have other types, or the disk cannot take them.
    """
    _check(unit)
    with store.writing(key, manifest) as folder:
        np.save(folder / "rows.npy", np.ascontiguousarray(unit.rows), allow_pickle=False)
        np.save(folder / _NORM, np.ascontiguousarray(unit.norm), allow_pickle=False)
        np.save(folder / _EMBEDDING, np.ascontiguousarray(unit.embedding), allow_pickle=False)
        write_frame(folder / _EXAMPLES, unit.examples[list(EXAMPLE_COLUMNS)].astype(EXAMPLE_COLUMNS))


def read_gradient_unit(store: ArtifactStore, key: str) -> GradientUnit:
    """The unit ``key``; rows and embedding are read-only memory maps.

    Raises:
        NotComputedError: It does not exist or is damaged.
    """
    if not store.is_whole(key):
        raise _missing(store, key)
    folder = store.path(key)
    return GradientUnit(
        rows=_mapped(folder / "rows.npy"),
        norm=np.load(folder / _NORM, allow_pickle=False),
        embedding=_mapped(folder / _EMBEDDING),
        examples=read_frame(folder / _EXAMPLES),
    )


def _whole(store: ArtifactStore, key: str, name: str) -> Path:
    """One file of a unit; the unit's sketches, a hundred times as large, are neither read nor checked."""
    path = store.whole_file(key, name)
    if path is None:
        raise _missing(store, key)
    return path


def _missing(store: ArtifactStore, key: str) -> NotComputedError:
    state = "is damaged" if store.path(key).exists() else "has not been computed"
    return NotComputedError(
        f"Part {key[:12]} of the influence vectors {state}.",
        remedy="Run the computation again: everything that is whole is kept.",
    )


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as Parquet without its index; equal tables give equal bytes.

    pandas' own metadata (versions, index) is left out: it would change bytes without changing content.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd", use_dictionary=False, row_group_size=1 << 16)


def read_frame(path: Path) -> pd.DataFrame:
    """The table that ``write_frame`` wrote, with a fresh index."""
    frame: pd.DataFrame = _table(path).to_pandas()
    return frame


def _table(path: Path) -> pa.Table:
    return pq.ParquetFile(path, memory_map=False).read(use_threads=False)


class GradientSet:
    """The stored gradients of one split: all checkpoints, all shards, read as needed.

    Args:
        store: Where the units are.
        keys: Unit keys as ``keys[checkpoint][shard]``.

    Raises:
        NotComputedError: A unit is missing or damaged (on reading it).
        StoreError: Checkpoints with different numbers of shards.
    """

    def __init__(self, store: ArtifactStore, keys: Sequence[Sequence[str]]) -> None:
        if not keys or len({len(shards) for shards in keys}) != 1 or not keys[0]:
            raise StoreError("Every checkpoint needs the same shards, at least one.")
        self._store = store
        self._keys = [list(shards) for shards in keys]
        sizes = [len(_mapped(_whole(store, key, _NORM))) for key in self._keys[0]]
        edges = np.concatenate([[0], np.cumsum(sizes)])
        self._slices = [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]

    @property
    def n(self) -> int:
        """Number of examples."""
        return self._slices[-1].stop

    @property
    def checkpoints(self) -> int:
        """Number of checkpoints."""
        return len(self._keys)

    def examples(self, checkpoint: int) -> pd.DataFrame:
        """One line per example with the columns of ``EXAMPLE_COLUMNS``, index 0…n-1, at one checkpoint."""
        paths = [_whole(self._store, key, _EXAMPLES) for key in self._keys[checkpoint]]
        frame: pd.DataFrame = pa.concat_tables([_table(path) for path in paths]).to_pandas()
        return frame

    def embedding(self, checkpoint: int = -1) -> NDArray[np.float32]:
        """(n, e) float32 embeddings at one checkpoint index."""
        parts = [_mapped(_whole(self._store, key, _EMBEDDING)) for key in self._keys[checkpoint]]
        return np.concatenate([np.asarray(part, np.float32) for part in parts])

    def shards(self) -> Iterator[tuple[slice, list[GradientUnit]]]:
        """For each shard: its rows of the split, and its unit at every checkpoint.

        Units are memory maps, so only what is touched comes into memory.
        """
        for shard, place in enumerate(self._slices):
            yield place, self._units(shard)

    def vectors(
        self, learning_rates: Sequence[float], rows: NDArray[np.integer[Any]] | Sequence[int] | None = None
    ) -> NDArray[np.float32]:
        """Influence vectors φ(z) = [√η_1 s_1(z), …, √η_K s_K(z)] (DESIGN §2): φ·φ' estimates TracInCP.

        Memory: the result (m · K · d · 4 bytes) plus one unit; the store is streamed shard by shard.

        Args:
            learning_rates: K learning-rate weights, none negative; 0 switches a checkpoint off.
            rows: m places in the split, in any order; ``None`` = all n.

        Returns:
            (m, K·d) float32; flagged examples are zero.
        """
        rates = np.asarray(learning_rates, np.float64)
        if rates.shape != (self.checkpoints,) or not np.all(np.isfinite(rates)) or np.any(rates < 0):
            raise StoreError(
                f"{self.checkpoints} learning rates ≥ 0 are needed, one per checkpoint; "
                f"got {list(learning_rates)}."
            )
        wanted = np.arange(self.n) if rows is None else np.asarray(rows, np.int64)
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < self.n):
            raise StoreError(f"Rows must lie between 0 and {self.n - 1}.")
        width = read_gradient_unit(self._store, self._keys[0][0]).rows.shape[1]
        vectors = np.zeros((len(wanted), self.checkpoints, width), np.float32)
        for shard, place in enumerate(self._slices):
            here = np.flatnonzero((wanted >= place.start) & (wanted < place.stop))
            if not here.size:
                continue
            inside = wanted[here] - place.start
            for k, unit in enumerate(self._units(shard)):
                scale = np.sqrt(rates[k]) * unit.norm[inside].astype(np.float64)  # (m',)
                vectors[here, k] = unit.rows[inside] * scale[:, None].astype(np.float32)
        return vectors.reshape(len(wanted), self.checkpoints * width)

    def _units(self, shard: int) -> list[GradientUnit]:
        place = self._slices[shard]
        units = [read_gradient_unit(self._store, keys[shard]) for keys in self._keys]
        if any(len(unit.norm) != place.stop - place.start for unit in units):
            raise StoreError(
                f"Checkpoints disagree about the length of shard {shard}.",
                remedy="Run the computation again.",
            )
        return units


def _mapped(path: Path) -> Any:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    array.flags.writeable = False
    return array


def _check(unit: GradientUnit) -> None:
    n = len(unit.norm)
    right = (
        unit.rows.ndim == 2
        and unit.embedding.ndim == 2
        and len(unit.rows) == len(unit.embedding) == len(unit.examples) == n
        and unit.rows.dtype == unit.embedding.dtype == np.float16
        and unit.norm.dtype == np.float32
        and unit.norm.ndim == 1
    )
    if not right:
        raise StoreError(
            f"A gradient unit needs fp16 rows and embeddings and float32 norms of one length; got "
            f"rows {unit.rows.dtype}{unit.rows.shape}, norm {unit.norm.dtype}{unit.norm.shape}, "
            f"embedding {unit.embedding.dtype}{unit.embedding.shape}, {len(unit.examples)} examples."
        )
    missing = sorted(set(EXAMPLE_COLUMNS) - set(unit.examples.columns))
    if missing:
        raise StoreError(f"The examples of a gradient unit lack {', '.join(missing)}.")

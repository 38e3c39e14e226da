"""Two sweeps over a pilot of examples that fit the basis of sketches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine.basis import Basis
from tracin_viz.engine.batches import Batch, length
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.forms import Form, Lookup
from tracin_viz.engine.maps import SHORT, WRITTEN_MATRIX, signs
from tracin_viz.engine.precision import double
from tracin_viz.engine.projection import mapped, sides
from tracin_viz.engine.session import OnBatch, Session

EXAMPLES = 72  # spread over the data and over at most three checkpoints
BATCH = 8  # whatever the engine's, so that the basis does not depend on it
PROBES = 4  # random mixtures of one side that show the directions of the other; more with few examples
ROTATED = 64  # sides up to here keep all directions
PRINCIPAL, RANDOM = 48, 16  # directions of a longer side
PRINCIPAL_WIDE, RANDOM_WIDE = 96, 32  # the same where the other side is short
TABLE = 4096  # a longer output side is a vocabulary: its rows are mixed at random
VERSION = 1  # raised when the same pilot gives another basis


def pilot_rows(count: int) -> np.ndarray:
    """Rows of ``count`` examples that are the pilot, ascending: all that decide the basis."""
    return np.unique(np.linspace(0, count - 1, min(EXAMPLES, count)).round().astype(np.int64))


def pilot_checkpoints(count: int) -> list[int]:
    """Places of the checkpoints, of ``count``, at which the pilot is looked at."""
    return sorted({0, count // 2, count - 1})


def fit(
    session: Session,
    checkpoints: Sequence[Checkpoint],
    data: Any,
    *,
    seed: int,
    on_batch: OnBatch | None = None,
) -> Basis:
    """The basis for sketches of gradients like those of ``data``; leaves some checkpoint loaded.

    ``on_batch`` is told the pilot examples done, of twice ``len(pilot_rows(N))``; it may raise.
    """
    shapes = {name: tuple(p.shape) for name, p in session.passes.parameters.items()}
    directions = Directions(shapes, seed, PROBES * EXAMPLES // min(EXAMPLES, max(1, length(data))))
    pilot = _Pilot(session, checkpoints, data, on_batch)
    pilot.sweep(lambda batch: session.passes.run(batch, session.objective, directions.add))
    energies = Energies(directions.maps())

    def work(batch: Batch) -> None:
        session.passes.run(batch, session.objective, energies.add)
        energies.close_batch()

    pilot.sweep(work)
    for name, (left, right) in energies.maps.items():
        rows, columns = (
            size if side is None else len(side)
            for side, size in zip((left, right), sides(shapes[name]), strict=True)
        )
        energies.energy.setdefault(name, torch.zeros(rows * columns))  # unused in the pilot
    return Basis(seed, energies.maps, energies.energy)


@dataclass
class _Pilot:
    """The examples and checkpoints that a basis is fitted to."""

    session: Session
    checkpoints: Sequence[Checkpoint]
    data: Any
    on_batch: OnBatch | None
    done: int = 0

    def sweep(self, work: Callable[[Batch], Any]) -> None:
        """``work`` on each batch: a share of the examples at each of the checkpoints."""
        rows, chosen = pilot_rows(length(self.data)), pilot_checkpoints(len(self.checkpoints))
        size, self.session.batch_size = self.session.batch_size, BATCH
        try:
            for place, number in enumerate(chosen):
                self.session.load(self.checkpoints[number])
                for piece in self.session.sweep(self.data, rows[place :: len(chosen)], work):
                    self.done += len(piece.rows)
                    if self.on_batch is not None:
                        self.on_batch(self.done)
        finally:
            self.session.batch_size = size


class Directions:
    """First sweep of the pilot: rows whose principal directions are those of the gradients' sides."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], seed: int, probes: int) -> None:
        self._shapes = shapes
        self._probes = probes
        self._seed = seed
        self._rows: dict[tuple[str, str], list[Tensor]] = {}

    def add(self, name: str, form: Form) -> None:
        """Takes one parameter's gradients of a pilot batch."""
        kept = kept_sides(self._shapes[name])
        for side, count in zip(("left", "right"), kept, strict=True):
            if count is None or (side == "left" and isinstance(form, Lookup)):
                continue
            self._rows.setdefault((name, side), []).append(self._probed(name, form, side))

    def _probed(self, name: str, form: Form, side: str) -> Tensor:
        """(B · probes, length): each example's gradient times random signs of its other side, unit norm."""
        other = sides(self._shapes[name])[1 if side == "left" else 0]
        if other <= max(self._probes, 4 * PROBES):
            probes = torch.eye(other)
        else:
            probes = signs(self._seed, f"{name}|probe", (self._probes, other))
        probes = probes.to(form_device(form))
        if side == "left":
            found = mapped(form, None, probes).reshape(form.examples, -1, len(probes)).transpose(1, 2)
        else:
            found = mapped(form, probes, None).reshape(form.examples, len(probes), -1)
        found = torch.nan_to_num(double(found).cpu(), 0.0, 0.0, 0.0)
        norms = found.flatten(1).norm(dim=1)[:, None, None]
        return (found / torch.where(norms > 0, norms, 1.0)).flatten(0, 1).float()

    def maps(self) -> dict[str, tuple[Tensor | None, Tensor | None]]:
        """The maps of both sides of each parameter."""
        found = {}
        for name, shape in self._shapes.items():
            pair: list[Tensor | None] = []
            for side, count, size in zip(("left", "right"), kept_sides(shape), sides(shape), strict=True):
                rows = self._rows.pop((name, side), None)
                pair.append(None if count is None else self._side(f"{name}|{side}", rows, size, count))
            found[name] = (pair[0], pair[1])
        return found

    def _side(self, key: str, rows: list[Tensor] | None, length: int, count: tuple[int, int]) -> Tensor:
        principal = leading(torch.cat(rows), count[0]) if rows else torch.zeros(0, length)
        rest = min(sum(count), length) - len(principal)
        if len(principal) + rest >= length:
            return torch.cat([principal, completion(principal)])
        mix = signs(self._seed, key, (rest, length)) / sqrt(rest)
        return torch.cat([principal, mix - (mix @ principal.t()) @ principal])


def kept_sides(shape: tuple[int, ...]) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """(principal, random) directions kept of each side; ``None`` = the side stays whole."""
    out, into = sides(shape)
    small = WRITTEN_MATRIX // 8
    if out == 1 or out * into <= small:
        return None, None
    chosen: list[tuple[int, int] | None] = []
    for size, other in ((out, into), (into, out)):
        wide = other <= SHORT
        if size <= SHORT:
            chosen.append(None)
        elif size <= ROTATED:
            chosen.append((size, 0))
        else:
            chosen.append((PRINCIPAL_WIDE, RANDOM_WIDE) if wide else (PRINCIPAL, RANDOM))
    if out > TABLE:
        chosen[0] = (0, PRINCIPAL + RANDOM)
    return chosen[0], chosen[1]


def leading(rows: Tensor, count: int) -> Tensor:
    """At most ``count`` orthonormal leading directions of ``rows`` (n, length), each with a fixed sign."""
    rows = double(rows)
    if len(rows) < rows.shape[1]:
        values, vectors = torch.linalg.eigh(rows @ rows.t())
        vectors = rows.t() @ vectors
    else:
        values, vectors = torch.linalg.eigh(rows.t() @ rows)
    kept = values.flip(0)[:count]
    found = vectors.flip(1)[:, : int((kept > 1e-9 * kept[:1].clamp(min=1e-300)).sum())]
    if not found.shape[1]:
        return torch.zeros(0, rows.shape[1])
    found = torch.linalg.qr(found)[0].t().contiguous()
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    signed: Tensor = found * largest.sign()
    return signed.float()


def completion(principal: Tensor) -> Tensor:
    """Orthonormal rows for the directions that ``principal`` (k, length) leaves."""
    length = principal.shape[1]
    spanning = torch.cat([double(principal), double(torch.eye(length))])
    whole: Tensor = torch.linalg.qr(spanning.t())[0]
    return whole.t()[len(principal) :].float()


class Energies:
    """Second sweep of the pilot: how large each mapped number is."""

    def __init__(self, maps: dict[str, tuple[Tensor | None, Tensor | None]]) -> None:
        self.maps = maps
        self._values: list[tuple[str, Tensor]] = []
        self._norms: Tensor | None = None
        self.energy: dict[str, Tensor] = {}

    def add(self, name: str, form: Form) -> None:
        """Takes one parameter's gradients of a pilot batch."""
        device = form_device(form)
        left, right = (None if side is None else side.to(device) for side in self.maps[name])
        squares = double(mapped(form, left, right)).square()
        total = squares.sum(1)
        self._norms = total if self._norms is None else self._norms + total
        self._values.append((name, squares.float()))

    def close_batch(self) -> None:
        """Ends a batch: its gradients are brought to unit norm, as rankings by Spearman treat all alike."""
        if self._norms is None:
            return
        usable = torch.isfinite(self._norms) & (self._norms > 0)
        weights = torch.where(usable, 1 / torch.where(usable, self._norms, 1.0), 0.0).float()
        for name, squares in self._values:
            found = weights @ torch.nan_to_num(squares, 0.0, 0.0, 0.0)
            self.energy[name] = self.energy.get(name, 0) + found.cpu()
        self._values, self._norms = [], None


def form_device(form: Form) -> torch.device:
    """Where a form's numbers are."""
    return next(value.device for value in vars(form).values() if isinstance(value, Tensor))

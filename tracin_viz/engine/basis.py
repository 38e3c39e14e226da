"""Maps of the sides fitted on a pilot: principal directions kept exactly, the rest mapped at random.

Gradients lie near few directions of each side (LoGra, Choe et al. 2024, uses principal components of
activations and output gradients). A side's map is [V; S(I − VᵀV)]: V holds the k leading directions of the
pilot's gradients, S random signs/√r. E[SᵀS] = I, so the map keeps inner products in expectation whatever V
is: a bad pilot makes sketches less accurate, never wrong on average. Of the numbers that result, those that
the pilot found largest get a column of their own (``columns``), the others are folded into what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tracin_viz.errors import InputError


@dataclass
class Basis:
    """What a pilot found; independent of the sketch's dimension.

    Attributes:
        seed: Of the random directions.
        maps: (left (rows, out), right (columns, in)) by parameter; ``None`` for a side that stays whole.
        energy: Mean square of each mapped number by parameter, over pilot gradients of unit norm.
    """

    seed: int
    maps: dict[str, tuple[Tensor | None, Tensor | None]] = field(default_factory=dict)
    energy: dict[str, Tensor] = field(default_factory=dict)

    def state(self) -> dict[str, Tensor]:
        """As flat tensors, for safetensors."""
        found = {"seed": torch.tensor(self.seed)}
        for name, (left, right) in self.maps.items():
            parts = {"left": left, "right": right, "energy": self.energy[name]}
            found.update({f"{kind}|{name}": part.clone() for kind, part in parts.items() if part is not None})
        return found

    def check(self, shapes: Mapping[str, tuple[int, ...]], seed: int) -> None:
        """Refuses parameters that the basis was not fitted to.

        Raises:
            InputError: They, or the seed, are others.
        """
        other = sorted(set(shapes) ^ set(self.maps))
        if other or seed != self.seed:
            what = f"parameters ({other[0]})" if other else f"seed ({self.seed}, not {seed})"
            raise InputError(
                f"The sketch basis was fitted with other {what}.", remedy="Fit one for this model and seed."
            )

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Basis:
        """The inverse of ``state``.

        Raises:
            InputError: Parts are missing.
        """
        if "seed" not in state:
            raise InputError("This is no sketch basis: it has no seed.")
        found = cls(int(state["seed"]))
        for key, energy in state.items():
            kind, _, name = key.partition("|")
            if kind == "energy":
                found.maps[name] = (state.get(f"left|{name}"), state.get(f"right|{name}"))
                found.energy[name] = energy
        return found

    def save(self, path: Path) -> None:
        """Writes it as safetensors; equal bases give equal bytes."""
        save_file({name: value.contiguous() for name, value in self.state().items()}, path)

    @classmethod
    def load(cls, path: Path) -> Basis:
        """What ``save`` wrote.

        Raises:
            InputError: The file is none or cannot be read.
        """
        try:
            return cls.from_state(load_file(path))
        except (OSError, SafetensorError) as error:
            raise InputError(f"{path} is no sketch basis ({error}).", remedy="Fit it again.") from error

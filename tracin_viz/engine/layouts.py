"""Which axis of a call's data runs over the examples."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracin_viz.engine.calls import Key


class Interleaved(int):
    """An axis on which row r belongs to example r mod B, as in time-major sequences flattened to rows.

    On other axes with several rows per example each example's rows follow each other.
    """


@dataclass
class Layouts:
    """Which axis of a call's data runs over the examples, learned by comparing two batch sizes.

    Attributes:
        axes: Axis by call; ``None`` = the same for all batch sizes.
        ambiguous: Calls whose uses disagree; their parameters take the general path.
    """

    axes: dict[Key, int | None] = field(default_factory=dict)
    ambiguous: set[Key] = field(default_factory=set)

    @classmethod
    def learn(cls, many: dict[Key, list[tuple[int, ...]]], one: dict[Key, list[tuple[int, ...]]]) -> Layouts:
        """Layouts from the shapes of the same calls with several examples and with one."""
        found = cls()
        for key, shapes in many.items():
            others = one.get(key, [])
            axes = {_differing(a, b) for a, b in zip(shapes, others, strict=False)}
            if len(shapes) != len(others) or len(axes) != 1 or -1 in axes:
                found.ambiguous.add(key)
            else:
                found.axes[key] = axes.pop()
        return found

    def interleaved(self, names: set[str]) -> Layouts:
        """The same with the rows of all calls on parameters ``names`` interleaved."""
        axes = {
            key: axis if axis is None or names.isdisjoint(key[1]) else Interleaved(axis)
            for key, axis in self.axes.items()
        }
        return Layouts(axes, set(self.ambiguous))


def _differing(many: tuple[int, ...], one: tuple[int, ...]) -> int | None:
    if len(many) != len(one):
        return -1
    axes = [axis for axis, (a, b) in enumerate(zip(many, one, strict=True)) if a != b]
    return None if not axes else axes[0] if len(axes) == 1 else -1

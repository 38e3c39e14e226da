"""Where in a sequence the parameters of each call act: the influence of one example, call by call.

For one query with gradient Q (all parameters together), the influence ⟨∇ℓ(z), Q⟩ is the change of ℓ(z) when
the parameters move along Q. The parameters act in calls y = f(x, θ), so by the chain rule

    ⟨∇ℓ(z), Q⟩ = Σ_calls ⟨∂ℓ/∂y, (∂f/∂θ) Q⟩,

with x held fixed. ∂ℓ/∂y comes from one backward pass and (∂f/∂θ) Q from forward-mode differentiation of
that call alone. Both have the shape of y, so where y has an axis over positions the product is a sum over
them: for an embedding of g_t · Q[id_t], for a linear layer of g_t · (Q_W a_t + Q_b), for a norm of
g_t · (Q_γ x̂_t + Q_β).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from tracin_viz.engine.calls import name_of, replaced, tensors_in
from tracin_viz.engine.capture import CUT
from tracin_viz.engine.precision import double

Place = tuple[int, int]  # number of the call in the forward pass, number of the tensor it returned
Shapes = dict[Place, tuple[int, ...]]


class Tangents(TorchFunctionMode):
    """Watches the forward pass of one example and collects ⟨∂ℓ/∂y, (∂f/∂θ) Q⟩ in the backward pass.

    Args:
        parameters: Parameter, its layer, and its part of Q; the parameters require gradients.
        constants: Buffers and other parameters of the model.
        axes: Axis over positions of each output; without one a call counts as a whole.

    Attributes:
        shapes: Shape of each output that depends on parameters and data.
        at_positions: Layer → (T,) sums over its calls.
        whole: Layer → sum over its calls without positions.
        failed: Layer → why a call of it could not be differentiated.
    """

    def __init__(
        self,
        parameters: Iterable[tuple[Tensor, str, Tensor]],
        constants: Iterable[Tensor],
        axes: dict[Place, int] | None = None,
    ) -> None:
        super().__init__()
        self.shapes: Shapes = {}
        self.at_positions: dict[str, Tensor] = {}
        self.whole: dict[str, Tensor] = {}
        self.failed: dict[str, str] = {}
        self._axes = axes or {}
        self._calls = 0
        # Tensors made of parameters only, with their tangents by layer; kept, so that ids stay their own.
        self._sources = {id(p): (p, {layer: part}) for p, layer, part in parameters}
        self._constants = {id(tensor): tensor for tensor in constants if id(tensor) not in self._sources}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = list(tensors_in(args, kwargs))
        if func in CUT or not any(id(t) in self._sources for t in tensors):
            result = func(*args, **kwargs)
            if all(id(t) in self._constants or id(t) in self._sources for t in tensors):
                self._constants |= {id(t): t for t in tensors_in((result,), {}) if id(t) not in self._sources}
            return result
        tangents = self._of_call(func, args, kwargs)  # first: an in-place function changes its arguments
        result = func(*args, **kwargs)
        data = any(id(t) not in self._sources and id(t) not in self._constants for t in tensors)
        self._calls += 1
        for number, tensor in enumerate(tensors_in((result,), {})):
            found = {layer: parts[number] for layer, parts in tangents.items() if parts[number] is not None}
            if data:
                self._watch((self._calls, number), tensor, found)
            elif id(tensor) not in self._sources and tensor.is_floating_point():
                self._sources[id(tensor)] = (tensor, found)
        return result

    def _of_call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, list[Tensor]]:
        """By layer the tangent of each tensor that the call returns; layers that fail are noted."""
        owners = {
            layer: None
            for tensor in tensors_in(args, kwargs)
            if id(tensor) in self._sources
            for layer in self._sources[id(tensor)][1]
        }
        found = {}
        for layer in owners:
            try:
                found[layer] = self._along(func, args, kwargs, layer)
            except (RuntimeError, NotImplementedError) as error:
                self.failed.setdefault(layer, f"{name_of(func)}: {str(error).splitlines()[0][:120]}")
        return found

    def _along(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], layer: str) -> list[Any]:
        """Forward-mode derivative of one call along Q of one layer (fused recurrent kernels have none)."""
        with torch.no_grad(), forward_ad.dual_level(), _differentiable(name_of(func)):

            def dual(tensor: Tensor) -> Tensor:
                tangent = self._sources[id(tensor)][1].get(layer) if id(tensor) in self._sources else None
                value = tensor.detach()
                if tangent is None:
                    return value.clone() if name_of(func).endswith("_") else value
                return forward_ad.make_dual(value, tangent)  # type: ignore[no-untyped-call,no-any-return]

            moved, options = replaced((args, kwargs), dual)
            result = func(*moved, **options)
            parts = [forward_ad.unpack_dual(t) for t in tensors_in((result,), {})]  # type: ignore[no-untyped-call]
            return [None if part.tangent is None else part.tangent.clone() for part in parts]

    def _watch(self, place: Place, output: Tensor, tangents: dict[str, Tensor]) -> None:
        self.shapes[place] = tuple(output.shape)
        if not output.requires_grad or not tangents:
            return
        axis = self._axes.get(place)

        def hook(grad: Tensor) -> None:
            for layer, tangent in tangents.items():
                terms = double(grad.detach() * tangent)
                if axis is None:
                    self.whole[layer] = self.whole.get(layer, 0) + terms.sum()
                else:
                    each = terms.movedim(axis, 0).flatten(1).sum(1)
                    self.at_positions[layer] = self.at_positions.get(layer, 0) + each

        output.register_hook(hook)  # type: ignore[no-untyped-call]


@contextmanager
def _differentiable(name: str) -> Iterator[None]:
    """Attention and recurrent calls by their plain kernels: the fused ones have no forward-mode derivative.

    Warnings are left to the call itself: here torch would warn of its own use of deprecated parts.
    """
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        if name == "multi_head_attention_forward":
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        yield


def position_axes(shapes: Shapes, steps: int, others: Shapes | None, other_steps: int) -> dict[Place, int]:
    """Which axis of each output runs over positions, from the shapes at two sequence lengths.

    Comparing lengths tells positions from a width that happens to be as large. A model for one length only
    has ``others`` = ``None``: then (1, T, …) is taken for a sequence, and nothing else.
    """
    found = {}
    for place, shape in shapes.items():
        if others is None:
            axes = [1] if len(shape) > 2 and shape[:2] == (1, steps) else []
        else:
            other = others.get(place, ())
            if len(shape) != len(other):
                continue
            axes = [axis for axis, (a, b) in enumerate(zip(shape, other, strict=True)) if a != b]
            if any((shape[axis], other[axis]) != (steps, other_steps) for axis in axes):
                continue
        if len(axes) == 1:
            found[place] = axes[0]
    return found

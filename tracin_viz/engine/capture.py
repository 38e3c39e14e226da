"""One interception for every use of every chosen parameter.

``Capture`` is a ``TorchFunctionMode`` around the forward pass: it sees each call that receives a tracked
parameter, whatever class made the call. The rule of that operation keeps the call's input and watches its
output; one backward pass of the summed per-example loss then brings the output's gradient, and the rule turns
both into per-example gradients (``forms``). The parameters themselves need no gradient, so the backward pass
skips their batch gradients altogether.

Three kinds of tensors are told apart by where they come from:

* *sources*: tracked parameters, and tensors computed from nothing but them and constants (weight norm, a
  transposed table, a slice of a position embedding);
* *constants*: buffers and factory calls, equal for all examples;
* everything else depends on the examples.

A parameter used by an operation without a rule is reported in ``unruled`` and takes the general path alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tracin_viz.engine.calls import Call, Key, Source, name_of, replaced, tensors_in
from tracin_viz.engine.forms import Dense, Form, joined
from tracin_viz.engine.layouts import Interleaved, Layouts
from tracin_viz.errors import EngineError

Consumer = Callable[[str, Form], None]
Rule = Callable[["Capture", Call], Any]


class _Anchor(torch.autograd.Function):
    """Ties a tensor that needs no gradient to a scalar that does.

    The result is not a leaf, so activations that work in place may follow.
    """

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, None]:
        return None, None


class Capture(TorchFunctionMode):
    """Watches one forward and backward pass of ``batch`` examples.

    Args:
        tracked: ``id(parameter)`` → name; every tracked parameter has ``requires_grad`` off.
        parameters: Name → parameter.
        batch: Number of examples.
        consumer: Called once per parameter and pass with its per-example gradients.
        layouts: What is known about the calls; ``None`` while it is being learned.
        general: Parameters that take the general path and are not delivered here.
        constants: Buffers and other parameters of the model.
    """

    def __init__(
        self,
        parameters: dict[str, Tensor],
        *,
        batch: int,
        consumer: Consumer,
        rules: dict[str, Rule],
        layouts: Layouts | None = None,
        general: Iterable[str] = (),
        constants: Iterable[Tensor] = (),
    ) -> None:
        super().__init__()
        self.parameters = parameters
        self.batch = batch
        self.layouts = layouts
        self.shapes: dict[Key, list[tuple[int, ...]]] = {}
        self.used: dict[str, str] = {}
        self.unruled: dict[str, str] = {}
        self.outputs: list[tuple[Tensor, Tensor, tuple[str, ...]]] = []
        self._rules = rules
        self._general = set(general)
        self._consumer = consumer
        self._sources = {id(tensor): Source(tensor, (name,)) for name, tensor in parameters.items()}
        self._constants = {id(tensor): tensor for tensor in constants if id(tensor) not in self._sources}
        self._expected: dict[str, int] = {}
        self._collected: dict[str, list[Form]] = {}
        self._pending: list[tuple[Source, Form]] = []
        self._leaves: dict[str, Tensor] = {}
        self._anchor = torch.zeros((), requires_grad=True)

    # ---- the forward pass -------------------------------------------------------------------------------

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = list(tensors_in(args, kwargs))
        sources = [self._sources[id(t)] for t in tensors if id(t) in self._sources]
        if not sources:
            result = func(*args, **kwargs)
            name = name_of(func)
            if all(id(t) in self._constants for t in tensors):
                self._keep_constant(result)
            elif name in ("linear", "addmm") and isinstance(result, Tensor):
                self.note_output(args[0 if name == "linear" else 1], result, ())
            return result
        call = Call(name_of(func), func, args, kwargs, sources)
        if func in CUT:
            result = call.run()
            if all(id(t) in self._sources or id(t) in self._constants for t in tensors):
                self._keep_constant(result)
            return result
        data = [t for t in tensors if id(t) not in self._sources and id(t) not in self._constants]
        rule = self._rules.get(call.name)
        result = NotImplemented
        if rule is not None and (data or call.name in _ALSO_CONSTANT):
            result = rule(self, call)
        if result is NotImplemented and not data:
            result = self.derive(call)
        if result is NotImplemented:
            result = call.run()
            if any(True for _ in tensors_in((result,), {})):
                self.without_rule(sources, call.name)
        return result

    def _keep_constant(self, result: Any) -> None:
        for tensor in tensors_in((result,), {}):
            if id(tensor) not in self._sources:
                self._constants[id(tensor)] = tensor

    def derive(self, call: Call, ids: Tensor | None = None) -> Any:
        """Runs a call on parameters and constants only, and keeps the graph that leads back to them."""
        result = call.run()
        if not isinstance(result, Tensor):
            if any(True for _ in tensors_in((result,), {})):
                return NotImplemented
            return result
        if not result.is_floating_point():
            self._keep_constant(result)
            return result
        if id(result) in self._sources:
            return result
        with torch.enable_grad():
            args, kwargs = replaced((call.args, call.kwargs), self._shadow_of)
            shadow = call.func(*args, **kwargs)
        names = tuple(dict.fromkeys(name for source in call.sources for name in source.names))
        if shadow.requires_grad:
            self._sources[id(result)] = Source(result, names, shadow, ids)
        else:
            self._keep_constant(result)
        return result

    def _shadow_of(self, tensor: Tensor) -> Tensor:
        source = self._sources.get(id(tensor))
        if source is None:
            return tensor
        if source.shadow is not None:
            return source.shadow
        name = source.names[0]
        if name not in self._leaves:
            self._leaves[name] = tensor.detach().requires_grad_()
        return self._leaves[name]

    # ---- what rules use ---------------------------------------------------------------------------------

    def source(self, tensor: Any) -> Source | None:
        """The source that ``tensor`` is, if it is one."""
        return self._sources.get(id(tensor)) if isinstance(tensor, Tensor) else None

    def is_constant(self, tensor: Tensor) -> bool:
        """Whether ``tensor`` is the same for all examples by construction."""
        return id(tensor) in self._constants

    def parameter(self, name: str) -> Source:
        """The source that is parameter ``name`` itself."""
        return self._sources[id(self.parameters[name])]

    def axis(self, call: Call, data: Tensor) -> int | None:
        """The axis of ``data`` that runs over the examples (it may hold several rows per example)."""
        shape = tuple(data.shape)
        self.shapes.setdefault(call.key, []).append(shape)
        if self.layouts is not None and call.key in self.layouts.axes:
            return self.layouts.axes[call.key]
        if self.layouts is not None and call.key in self.layouts.ambiguous:
            return None
        return 0 if shape and shape[0] % self.batch == 0 and shape[0] else None

    def split(self, data: Tensor, axis: int) -> Tensor:
        """``data`` with the examples in front: (B, rows per example, …)."""
        if axis:
            data = data.movedim(axis, 0)
        if isinstance(axis, Interleaved):
            return data.reshape(-1, self.batch, *data.shape[1:]).transpose(0, 1)
        return data.reshape(self.batch, data.shape[0] // self.batch, *data.shape[1:])

    def without_rule(self, sources: Iterable[Source], reason: str) -> None:
        """Sends the parameters behind ``sources`` down the general path."""
        for source in sources:
            for name in source.names:
                self.unruled.setdefault(name, f"used by {reason}, for which there is no rule")

    def watch(
        self, output: Tensor, inputs: Iterable[Tensor], sources: Iterable[Source | None], rule: str, then: Any
    ) -> Tensor:
        """Calls ``then(output gradient)`` in the backward pass, which must ``emit`` for each of ``sources``.

        Raises:
            EngineError: In the backward pass, where one of ``inputs`` was overwritten after the call.
        """
        if not torch.is_grad_enabled():
            return output
        if not output.requires_grad:
            output = _Anchor.apply(self._anchor, output)  # type: ignore[no-untyped-call]
        for source in sources:
            for name in source.names if source else ():
                self._expected[name] = self._expected.get(name, 0) + 1
                self.used[name] = rule
        versions = [(tensor, tensor._version) for tensor in inputs]

        def hook(grad: Tensor) -> None:
            if any(tensor._version != version for tensor, version in versions):
                raise EngineError(
                    f"The input of a {rule} call was overwritten in place after the call, so its per-example "
                    "gradients cannot be computed.",
                    remedy="Replace the in-place operation on that tensor (also training would fail on it).",
                )
            then(grad.detach())

        output.register_hook(hook)  # type: ignore[no-untyped-call]
        return output

    def note_output(self, data: Tensor, output: Tensor, names: tuple[str, ...]) -> None:
        """Remembers a linear call as a candidate for "the call that produces the outputs"."""
        width = output.shape[-1] if output.dim() else 0
        self.outputs = [entry for entry in self.outputs if entry[1].shape[-1] != width]
        self.outputs.append((data.detach(), output.detach(), names))

    # ---- the backward pass ------------------------------------------------------------------------------

    def emit(self, source: Source | None, form: Callable[[], Form]) -> None:
        """Delivers per-example gradients of a source; ``form`` is only evaluated where they are wanted."""
        if source is None or all(name in self._general or name in self.unruled for name in source.names):
            return
        if source.shadow is None:
            self._collect(source.names[0], form())
        else:
            self._pending.append((source, form()))

    def _collect(self, name: str, form: Form) -> None:
        if name in self._general or name in self.unruled:
            return
        forms = self._collected.setdefault(name, [])
        forms.append(form)
        if len(forms) == self._expected[name]:
            self._consumer(name, joined(self._collected.pop(name)))

    def finish(self) -> None:
        """Delivers what is left after the backward pass: derived tensors and unused branches."""
        for source, form in self._pending:
            for name, values in self._pulled_back(source, form):
                self._collect(name, Dense(values, tuple(values.shape[1:])))
        self._pending.clear()
        for name, forms in list(self._collected.items()):
            self._consumer(name, joined(forms))
        self._collected.clear()

    def _pulled_back(self, source: Source, form: Form) -> Iterator[tuple[str, Tensor]]:
        """Jᵀ applied to the per-example gradients of a derived tensor."""
        if source.shadow is None:
            raise EngineError("A parameter was treated as a derived tensor.")
        grads = form.written_out().reshape(form.examples, *source.shadow.shape)
        leaves = [self._leaves[name] for name in source.names]
        found = torch.autograd.grad(
            source.shadow, leaves, grads, retain_graph=True, is_grads_batched=True, allow_unused=True
        )
        for name, leaf, values in zip(source.names, leaves, found, strict=True):
            yield name, grads.new_zeros(form.examples, *leaf.shape) if values is None else values


# Reading a value without its gradient.
CUT = {torch.Tensor.detach, *(vars(torch._C.TensorBase)[name].__get__ for name in ("data", "grad"))}
# Rules that also look at calls on parameters and constants only.
_ALSO_CONSTANT = {"embedding", "expand", "expand_as", "repeat", "broadcast_to", "tile"}

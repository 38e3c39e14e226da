"""Adapters of the ``peft`` package on a frozen base, and exported programs of text models."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from tests.engine.cases import CLASSES, Case, Flow, architecture, tokens
from tests.engine.cases_hugging_face import sentences


def adapted(config: Any) -> Case:
    """A tiny DistilBERT with a real adapter; its base is frozen, its new head is not."""
    from peft import get_peft_model
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    sizes = {"vocab_size": 13, "max_position_embeddings": 8, "dim": 8, "hidden_dim": 12, "n_heads": 2}
    base = DistilBertForSequenceClassification(DistilBertConfig(**sizes, n_layers=2, num_labels=CLASSES))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks of the package about its own defaults
        model = get_peft_model(base, config)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():  # adapters begin at zero, where half of their gradients vanish
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return sentences(model)


@architecture
def peft_lora_on_a_frozen_base():
    from peft import LoraConfig

    settings = {"task_type": "SEQ_CLS", "target_modules": ["q_lin", "v_lin", "lin1"], "lora_dropout": 0.1}
    return adapted(
        LoraConfig(r=2, lora_alpha=6, modules_to_save=["pre_classifier", "classifier"], **settings)
    )


@architecture
def peft_dora_on_a_frozen_base():
    from peft import LoraConfig

    settings = {"task_type": "SEQ_CLS", "target_modules": ["q_lin", "out_lin"], "use_dora": True}
    return adapted(LoraConfig(r=2, lora_alpha=4, modules_to_save=["classifier"], **settings))


@architecture
def peft_ia3_on_a_frozen_base():
    from peft import IA3Config

    settings = {"task_type": "SEQ_CLS", "target_modules": ["k_lin", "lin2"], "feedforward_modules": ["lin2"]}
    return adapted(IA3Config(modules_to_save=["classifier"], **settings))


@architecture
def exported_text_program():
    def function(m, x):
        hidden = m.table(x)
        mixed = m.attention(hidden, hidden, hidden, need_weights=False)[0]
        return m.head(m.norm(hidden + mixed).mean(1))

    modules = {"table": nn.Embedding(9, 6), "attention": nn.MultiheadAttention(6, 2, batch_first=True)}
    eager = Flow(function, **modules, norm=nn.LayerNorm(6), head=nn.Linear(6, CLASSES)).eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(eager, (torch.zeros(4, 6, dtype=torch.long),), dynamic_shapes=({0: batch},))
    return tokens(6, 9, model=program.module(), reference=eager)

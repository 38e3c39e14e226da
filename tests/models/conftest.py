from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

Run = Callable[..., Path]
STEPS = (100, 200, 300)


def log(until: int, *, every: int = 50) -> list[dict[str, Any]]:
    """What a Trainer with a linear schedule over 1000 steps logs."""
    return [
        {"step": step, "epoch": step / 100, "loss": 2 - step / 1000, "learning_rate": 0.1 * (1 - step / 1000)}
        for step in range(every, until + 1, every)
    ]


def edit(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file; ``None`` removes one."""
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))


def write_run(
    folder: Path, config: Any, *, kind: str, inputs: Any, steps: Sequence[int] = STEPS, seed: int = 0
) -> Path:
    """A run folder as transformers writes it: different random weights at every step."""
    import transformers

    transformers.logging.disable_progress_bar()
    network = getattr(transformers, kind)
    for step in steps:
        torch.manual_seed(seed + step)
        target = folder / f"checkpoint-{step}"
        network(config).save_pretrained(target)
        inputs.save_pretrained(target)
        (target / "trainer_state.json").write_text(
            json.dumps({"global_step": step, "log_history": log(step)})
        )
    return folder


def vit(labels: Sequence[str] = ("cat", "dog", "owl"), **options: Any) -> Any:
    from transformers import ViTConfig

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    return ViTConfig(
        image_size=28,
        patch_size=14,
        num_channels=options.pop("num_channels", 1),
        id2label=dict(enumerate(labels)),
        label2id={name: number for number, name in enumerate(labels)},
        **sizes,
        **options,
    )


def vit_inputs(channels: int = 1, **options: Any) -> Any:
    from transformers import ViTImageProcessorPil

    numbers = {"image_mean": [0.5] * channels, "image_std": [0.25] * channels}
    return ViTImageProcessorPil(size={"height": 28, "width": 28}, **(numbers | options))


def words() -> Any:
    """A small tokenizer of whole words that gives token types, whether the network takes them or not."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    texts = ["turn the light on", "set a timer for ten minutes"]
    tokenizer.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=special))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    gives = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=12, model_input_names=gives, **names
    )


@pytest.fixture(scope="session")
def image_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three checkpoints of a small vision transformer; read only."""
    folder = tmp_path_factory.mktemp("image-run")
    return write_run(folder, vit(), kind="ViTForImageClassification", inputs=vit_inputs())


@pytest.fixture
def run(image_run: Path, tmp_path: Path) -> Path:
    """A copy of the image run that a test may damage."""
    return Path(shutil.copytree(image_run, tmp_path / "run"))


@pytest.fixture(scope="session")
def text_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three checkpoints of a small DistilBERT; read only."""
    from transformers import DistilBertConfig

    config = DistilBertConfig(
        vocab_size=20,
        dim=16,
        hidden_dim=32,
        n_layers=1,
        n_heads=2,
        max_position_embeddings=10,
        id2label={0: "light", 1: "timer"},
        label2id={"light": 0, "timer": 1},
    )
    folder = tmp_path_factory.mktemp("text-run")
    return write_run(folder, config, kind="DistilBertForSequenceClassification", inputs=words())

"""Demo "commands": a small transformer encoder on template-generated smart-home voice commands.

The texts come from the sentence templates of the package home-assistant-intents. No template is in both
splits, so the test accuracy says something about sentences of a form that was not trained on.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from tracin_viz.demo.files import DemoFiles, OnProgress, between, build_once
from tracin_viz.demo.home_intents import CLASSES, Command, generate
from tracin_viz.demo.training import Recipe, Run, accuracy, one_thread, train
from tracin_viz.errors import InputError
from tracin_viz.models.offline import quiet_transformers

NAMES = tuple(sorted(CLASSES))
#: Tokens of a text, at most; the longest generated one has about thirty.
LONGEST = 48
#: Words in the tokenizer, at most; others are spelt.
VOCABULARY = 1000
#: Shares of the training after which checkpoints are kept: close together where the loss falls most.
KEPT = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)

ORIGIN = (
    "Template-generated: random sentences from the English templates of the package home-assistant-intents "
    "(The Home Assistant Authors), with rooms, devices and names of our own. Train and test share no template"
)
LICENCE = "home-assistant-intents is under Apache-2.0"


def build(
    folder: Path, *, on_progress: OnProgress, examples: int = 3000, epochs: int = 5, seed: int = 0
) -> DemoFiles:
    """Write the texts, train tokenizer and network, write the run folder; at once if all that is there.

    Args:
        folder: Takes ``commands.csv`` (``text,label,split,template``) and ``model/checkpoint-<step>/``. It
            appears whole or not at all.
        on_progress: Told the stage and the share done; may raise to cancel, then nothing stays.
        examples: Training texts over all 20 classes; a quarter as many test texts come on top.
        epochs: Of the training.
        seed: Of everything random. The same seed gives the same files on the same computer.

    Raises:
        InputError: A number is out of range, ``folder`` holds something else, or the package has another
            form than expected.
    """
    if not 4 * len(NAMES) <= examples <= 20_000:
        raise InputError(f"`examples` must be from {4 * len(NAMES)} to 20000, got {examples}.")
    if epochs < 1:
        raise InputError(f"`epochs` must be at least 1, got {epochs}.")
    settings = {"demo": "commands", "examples": examples, "epochs": epochs, "seed": seed}
    how = recipe(epochs=epochs, seed=seed)

    def fill(part: Path) -> DemoFiles:
        with one_thread():
            return _fill(part, examples, how, on_progress)

    return build_once(folder, settings, fill)


def recipe(*, epochs: int, seed: int) -> Recipe:
    """How the network is trained."""
    return Recipe(epochs=epochs, batch_size=32, learning_rate=0.05, seed=seed)


def _fill(part: Path, examples: int, recipe: Recipe, on_progress: OnProgress) -> DemoFiles:
    on_progress("generating commands", 0.0)
    each = examples // len(NAMES)
    commands = generate(train=each, test=each * 4 // 15, seed=recipe.seed)
    _write(commands, part / "commands.csv")
    training = [command for command in commands if command.split == "train"]
    test = [command for command in commands if command.split == "test"]
    on_progress("making the tokenizer", 0.05)
    tokenizer = tokenizer_of([command.text for command in training])
    run = Run(part / "model", KEPT, [tokenizer])
    model = network(len(tokenizer), tokenizer.pad_token_id, recipe.seed)
    train(model, _tensors(tokenizer, training), recipe, run=run, on_progress=between(on_progress, 0.1, 0.98))
    notes: dict[str, Any] = {
        "title": "Smart-home voice commands (template-generated)",
        "origin": ORIGIN,
        "licence": LICENCE,
        "test_accuracy": accuracy(model, *_tensors(tokenizer, test)),
        "planted": 0,
        "model": "DistilBERT with two layers, trained from scratch by SGD with momentum 0.9",
    }
    return DemoFiles(part / "commands.csv", part / "model", None, notes)


def _write(commands: Sequence[Command], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["text", "label", "split", "template"])
        for command in commands:
            writer.writerow([command.text, command.label, command.split, command.template])


def tokenizer_of(texts: Sequence[str]) -> Any:
    """A WordPiece tokenizer of these texts, in the form that the Hugging Face libraries load.

    The vocabulary is made here, of the words and the single letters: the trainer of ``tokenizers`` breaks
    ties at random, and two builds of the demo would differ.
    """
    transformers = quiet_transformers()
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    normalizer, splitter = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    counts = Counter(
        word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))
    )
    words = sorted(counts, key=lambda word: (-counts[word], word))[:VOCABULARY]
    letters = sorted({letter for word in counts for letter in word})
    known = dict.fromkeys([*special.values(), *letters, *(f"##{letter}" for letter in letters), *words])
    inner = Tokenizer(
        models.WordPiece({token: number for number, token in enumerate(known)}, unk_token="[UNK]")
    )
    inner.normalizer, inner.pre_tokenizer = normalizer, splitter
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(token, inner.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        model_max_length=LONGEST,
        model_input_names=["input_ids", "attention_mask"],
        **special,
    )


def _tensors(tokenizer: Any, commands: Sequence[Command]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    labels = torch.tensor([NAMES.index(command.label) for command in commands])
    return inputs(tokenizer, [command.text for command in commands]), labels


def inputs(tokenizer: Any, texts: Sequence[str]) -> dict[str, torch.Tensor]:
    """What the network takes of texts."""
    encoded = tokenizer(list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
    return {name: encoded[name] for name in ("input_ids", "attention_mask")}


def network(vocabulary: int, padding: int, seed: int) -> torch.nn.Module:
    """The untrained network."""
    transformers = quiet_transformers()
    config = transformers.DistilBertConfig(
        vocab_size=vocabulary,
        max_position_embeddings=LONGEST,
        n_layers=2,
        dim=64,
        hidden_dim=128,
        n_heads=4,
        # With the usual 0.02, meant for Adam, a network this narrow does not learn by plain descent at all.
        initializer_range=0.12,
        pad_token_id=padding,
        id2label=dict(enumerate(NAMES)),
        label2id={name: number for number, name in enumerate(NAMES)},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: torch.nn.Module = transformers.DistilBertForSequenceClassification(config)
    return model

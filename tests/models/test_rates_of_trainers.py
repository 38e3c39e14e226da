"""Weights of checkpoints that the real trainers wrote, against the rates that a wrapped optimizer used."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import pytest
import torch

from tests.models.conftest import vit, vit_inputs
from tracin_viz.errors import InputError
from tracin_viz.models.bundle import inspect_run, open_run_folder

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning warns of loggers and workers, also when loaded


class Watched(torch.optim.AdamW):
    """Notes the rate of every step it takes: the independent record of what was used."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.used: list[float] = []

    def step(self, closure=None):
        self.used.append(float(self.param_groups[0]["lr"]))
        return super().step(closure)


def means(used: list[float], steps: list[int]) -> list[float]:
    return [sum(used[a:b]) / (b - a) for a, b in zip([0, *steps], steps, strict=False)]


def hugging_face(folder: Path, *, logging_steps: int, kind: str = "linear", warmup: int = 0) -> list[float]:
    """Twelve steps over three epochs by the Trainer itself, a checkpoint each epoch."""
    import transformers

    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    examples = [{"pixel_values": torch.rand(1, 28, 28), "labels": row % 3} for row in range(16)]
    model = transformers.ViTForImageClassification(vit())
    optimizer = Watched(model.parameters(), lr=0.01)
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), num_train_epochs=3, per_device_train_batch_size=4, learning_rate=0.01,
        lr_scheduler_type=kind, warmup_steps=warmup, logging_steps=logging_steps, save_strategy="epoch",
        report_to=[], disable_tqdm=True, use_cpu=True, dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=examples, optimizers=(optimizer, None),
        processing_class=vit_inputs(),
    )  # fmt: skip
    trainer.train()
    return optimizer.used


@pytest.mark.parametrize(
    ("logging_steps", "kind", "warmup"),
    [(500, "linear", 0), (2, "linear", 3), (1, "cosine", 0), (500, "cosine", 3)],
)
def test_weights_of_a_trainer_run_are_the_means_of_the_rates_used(tmp_path, logging_steps, kind, warmup):
    used = hugging_face(tmp_path, logging_steps=logging_steps, kind=kind, warmup=warmup)
    checkpoints = open_run_folder(tmp_path).checkpoints
    assert [checkpoint.step for checkpoint in checkpoints] == [4, 8, 12]
    weights = [checkpoint.learning_rate for checkpoint in checkpoints]
    assert weights == pytest.approx(means(used, [4, 8, 12]), rel=0.01)
    assert weights[-1] > 0
    provenance = checkpoints[-1].provenance
    if logging_steps == 500:
        assert "replayed from checkpoint-4/scheduler.pt" in provenance and "log has no rates" in provenance
    else:
        assert "checkpoint-12/trainer_state.json" in provenance


def lightning_run(
    folder: Path, *, interval: str = "epoch", network: torch.nn.Module | None = None
) -> list[float]:
    """Three epochs of four steps by Lightning itself with a cosine schedule, a checkpoint each epoch."""
    import lightning.pytorch as pl
    from lightning.pytorch.callbacks import ModelCheckpoint

    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    optimizers = []

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.model = network if network is not None else torch.nn.Linear(4, 3)
            self.save_hyperparameters({"rate": 0.1, "where": Path("data")})

        def training_step(self, batch, number):
            inputs, labels = batch
            outputs = self.model(inputs)
            return torch.nn.functional.cross_entropy(getattr(outputs, "logits", outputs), labels)

        def configure_optimizers(self):
            optimizer = Watched(self.parameters(), lr=0.1)
            optimizers.append(optimizer)
            length = 3 if interval == "epoch" else 12
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=length)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": interval}}

    shape = (16, 4) if network is None else (16, 1, 28, 28)
    torch.manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.rand(shape), torch.arange(16) % 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning warns of missing loggers, workers and validation
        trainer = pl.Trainer(
            max_epochs=3, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=folder,
            enable_model_summary=False,
            callbacks=[ModelCheckpoint(folder / "checkpoints", save_top_k=-1, save_last=True)],
        )  # fmt: skip
        trainer.fit(Module(), torch.utils.data.DataLoader(data, batch_size=4))
    return optimizers[0].used


CODE = """
import torch
TASK = "tabular"
CLASSES = ["a", "b", "c"]
def build_model():
    return torch.nn.Linear(4, 3)
"""


@pytest.mark.parametrize("interval", ["epoch", "step"])
def test_weights_of_a_cosine_lightning_run_are_the_means_of_the_rates_used(tmp_path, interval):
    used = lightning_run(tmp_path, interval=interval)
    (tmp_path / "model.py").write_text(CODE)
    found = inspect_run(tmp_path, trust_code=True)
    assert [entry["step"] for entry in found["checkpoints"]] == [4, 8, 12]
    assert [entry["epoch"] for entry in found["checkpoints"]] == [1, 2, 3]
    weights = [entry["learning_rate"] for entry in found["checkpoints"]]
    assert weights == pytest.approx(means(used, [4, 8, 12]), rel=0.01)
    assert weights[-1] > 0 and "cosine decay, played again" in found["checkpoints"][-1]["provenance"]
    assert found["format"] == "Lightning" and found["prefix"] == "model."
    assert found["optimizer"]["name"] == "AdamW" and found["optimizer"]["betas"] == [0.9, 0.999]
    assert [problem["kind"] for problem in found["problems"]] == ["same checkpoint twice"]  # last.ckpt


def test_a_lightning_module_around_a_network_of_transformers_needs_no_code(tmp_path):
    import transformers

    network = transformers.ViTForImageClassification(vit())
    lightning_run(tmp_path, network=network)
    network.config.save_pretrained(tmp_path)
    vit_inputs().save_pretrained(tmp_path)
    found = inspect_run(tmp_path)
    assert found["prefix"] == "model." and found["architecture"] == "ViTForImageClassification"
    assert "files of Lightning" in found["reason"]
    bundle = open_run_folder(tmp_path)
    last = bundle.read_weights(bundle.checkpoints[-1])
    assert all(torch.equal(last[name], tensor) for name, tensor in network.state_dict().items())


def test_rates_that_several_schedules_explain_are_asked_for(tmp_path):
    # A constant rate with a warm-up of unknown length: the checkpoints show only what came after it.
    hugging_face(tmp_path, logging_steps=500, kind="constant_with_warmup", warmup=2)
    with pytest.raises(InputError, match=r"are not decided.*--learning-rates"):
        open_run_folder(tmp_path)

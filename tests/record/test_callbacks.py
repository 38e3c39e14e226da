"""Recording inside trainers, per parameter group, after an interruption, and where the loss falls."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.record.test_recorder import network, state_of, take_step
from tracin_viz.errors import InputError
from tracin_viz.models.bundle import open_run_folder
from tracin_viz.record import CheckpointRecorder, Plan, TrainerRecorder

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning warns of loggers and workers, also when loaded

CODE = """
import torch
TASK = "tabular"
CLASSES = ["a", "b"]
def build_model():
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
"""


def test_groups_with_different_rates_are_kept_apart_and_weighted_by_their_size(tmp_path):
    model = network()
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters(), "lr": 0.2}]
    optimizer = torch.optim.SGD(groups)
    with CheckpointRecorder(tmp_path, model, optimizer, save_at=2) as recorder:
        for _ in range(2):
            recorder.step(take_step(model, optimizer))
    (first, _) = state_of(tmp_path, 2)["log_history"]
    assert first["group_learning_rates"] == [0.1, 0.2]
    assert first["learning_rate"] == pytest.approx((16 * 0.1 + 10 * 0.2) / 26)


def test_an_interrupted_training_goes_on_after_a_recorded_step_with_its_log(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = CheckpointRecorder(tmp_path, model, optimizer, save_at=2)
    for _ in range(5):
        recorder.step(take_step(model, optimizer))
    assert recorder.saved == [2, 4]  # step 5 was never written: the power went
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    again = CheckpointRecorder(tmp_path, model, optimizer, save_at=2, plan=Plan(resume_from=2))
    with again:
        for _ in range(3):
            again.step(take_step(model, optimizer))
    assert again.saved == [2, 4, 5]
    assert (tmp_path / "abandoned-checkpoint-4").is_dir()
    log = state_of(tmp_path, 5)["log_history"]
    assert [(entry["step"], entry["learning_rate"]) for entry in log] == [
        (1, 0.1), (2, 0.1), (3, 0.05), (4, 0.05), (5, 0.05),
    ]  # fmt: skip
    (tmp_path / "model.py").write_text(CODE)
    found = open_run_folder(tmp_path, trust_code=True).checkpoints
    assert [entry.learning_rate for entry in found] == pytest.approx([0.1, 0.05, 0.05])


def test_checkpoints_are_kept_where_the_loss_falls(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with CheckpointRecorder(tmp_path, model, optimizer, save_at="falling") as recorder:
        for step in range(1, 161):
            take_step(model, optimizer)
            recorder.step(1.0 if step <= 48 else 0.5 if step <= 96 else 0.45)  # falls once, then too little
    assert recorder.saved == [16, 64, 160]


def test_lightning_records_the_network_inside_a_module_and_the_rates_used(tmp_path):
    import lightning.pytorch as pl

    from tracin_viz.record import LightningRecorder

    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    used = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            used.append(self.param_groups[0]["lr"])
            return super().step(closure)

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network()

        def training_step(self, batch, number):
            return self.net(batch[0]).square().mean()

        def configure_optimizers(self):
            optimizer = Watched(self.parameters(), lr=0.2)
            schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(8, 3)), batch_size=2)
    recorder = LightningRecorder(tmp_path / "run", network="net", save_at=2)
    module = Module()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of missing loggers and workers
        trainer = pl.Trainer(
            max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
            default_root_dir=tmp_path,
            enable_progress_bar=False, enable_model_summary=False, callbacks=[recorder],
        )  # fmt: skip
        trainer.fit(module, data)
    state = state_of(tmp_path / "run", 4)
    assert [entry["learning_rate"] for entry in state["log_history"]] == pytest.approx(used)
    assert state["max_steps"] == 4 and state["log_history"][-1]["loss"] > 0
    weights = load_file(tmp_path / "run/checkpoint-4/model.safetensors")
    assert all(torch.equal(weights[name], tensor) for name, tensor in module.net.state_dict().items())


def test_the_trainer_records_every_rate_and_loss_whatever_it_logs(tmp_path):
    import transformers

    config = transformers.ResNetConfig(
        num_channels=1, embedding_size=4, hidden_sizes=[4], depths=[1], layer_type="basic", num_labels=2
    )
    examples = [{"pixel_values": torch.rand(1, 8, 8), "labels": row % 2} for row in range(8)]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "theirs"), max_steps=4, per_device_train_batch_size=4, learning_rate=0.1,
        optim="sgd", save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True,
        dataloader_pin_memory=False,
    )  # fmt: skip
    recorder = TrainerRecorder(tmp_path / "run", save_at=2)
    model = transformers.ResNetForImageClassification(config)
    transformers.Trainer(model=model, args=arguments, train_dataset=examples, callbacks=[recorder]).train()
    state = json.loads((tmp_path / "run/checkpoint-4/trainer_state.json").read_text())
    rates = [entry["learning_rate"] for entry in state["log_history"]]
    assert rates == pytest.approx([0.1, 0.075, 0.05, 0.025])  # linear decay, the Trainer's default
    assert all(entry["step_loss"] > 0 for entry in state["log_history"])
    assert (tmp_path / "run/checkpoint-2/config.json").is_file()


def test_a_module_with_two_optimizers_is_refused(tmp_path):
    class Trainer:
        is_global_zero = True
        optimizers = (1, 2)

    from tracin_viz.record import LightningRecorder

    with pytest.raises(InputError, match="uses 2 optimizers"):
        LightningRecorder(Path(tmp_path)).on_train_start(Trainer(), None)

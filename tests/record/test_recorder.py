"""The run folder that a plain loop leaves, against what the Hugging Face Trainer leaves and what was used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file

from tracin_viz.errors import InputError
from tracin_viz.record import CheckpointRecorder, Plan


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))


def take_step(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> torch.Tensor:
    loss = model(torch.ones(2, 3)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def state_of(folder: Path, step: int) -> dict:
    return json.loads((folder / f"checkpoint-{step}" / "trainer_state.json").read_text())


@pytest.mark.parametrize("schedule_first", [False, True])
def test_logged_rates_are_those_used_whenever_the_schedule_moves(tmp_path: Path, schedule_first: bool):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / 6)  # ends at rate 0
    recorder = CheckpointRecorder(tmp_path, model, optimizer, save_at=(2, 6))
    for _ in range(6):
        loss = take_step(model, optimizer)
        if schedule_first:
            schedule.step()
            recorder.step(loss)
        else:
            recorder.step(loss)
            schedule.step()
    recorder.close()
    used = {entry["step"]: entry["learning_rate"] for entry in state_of(tmp_path, 6)["log_history"]}
    assert used == pytest.approx({step: 1 - (step - 1) / 6 for step in range(1, 7)})
    assert optimizer.param_groups[0]["lr"] == 0.0


def test_weights_are_those_after_the_step(tmp_path: Path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    expected = {}
    with CheckpointRecorder(
        tmp_path, torch.compile(model, backend="eager"), optimizer, save_at=2
    ) as recorder:
        for step in range(1, 6):
            recorder.step(take_step(model, optimizer))
            expected[step] = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert recorder.saved == [2, 4, 5]
    for step in recorder.saved:
        found = load_file(tmp_path / f"checkpoint-{step}" / "model.safetensors")
        assert found.keys() == expected[step].keys()
        assert all(torch.equal(found[name], expected[step][name]) for name in found)


def test_first_doubling_steps_are_kept_by_default(tmp_path: Path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with CheckpointRecorder(tmp_path, model, optimizer) as recorder:
        for _ in range(70):
            recorder.step(take_step(model, optimizer))
    assert recorder.saved == [16, 32, 64, 70]


def test_mean_over_a_condensed_log_is_the_mean_over_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tracin_viz.record.log.LOG_ENTRIES", 10)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with CheckpointRecorder(tmp_path, model, optimizer, save_at=1000) as recorder:
        for step in range(25):
            optimizer.param_groups[0]["lr"] = 1 - step / 25
            take_step(model, optimizer)
            recorder.step(float(step))
    log = state_of(tmp_path, 25)["log_history"]
    mean = sum(entry["learning_rate"] for entry in log) / len(log)
    assert len(log) == 10
    assert mean == pytest.approx(sum(1 - step / 25 for step in range(25)) / 25, rel=0.02)
    assert log[-1]["loss"] == 12.0  # of all steps 0 … 24
    assert [entry["step"] for entry in log][-1] == 25


def test_loss_that_is_no_number_is_named_and_stays(tmp_path: Path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = CheckpointRecorder(tmp_path, model, optimizer, save_at=3)
    for loss in (1.0, float("nan"), 2.0):
        take_step(model, optimizer)
        if loss == 2.0:
            with pytest.warns(RuntimeWarning, match="not a finite number at step 2"):
                recorder.step(loss)
        else:
            recorder.step(loss)
    state = state_of(tmp_path, 3)
    assert state["tracin_viz"]["nonfinite_loss_steps"] == [2]
    assert str(state["log_history"][-1]["loss"]) == "nan"


def test_call_without_an_optimizer_step_counts_nothing(tmp_path: Path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = CheckpointRecorder(tmp_path, model, optimizer, save_at=1)
    recorder.step(1.0)
    assert recorder.saved == []
    take_step(model, optimizer)
    recorder.step(1.0)
    recorder.close()
    assert recorder.saved == [1]
    with pytest.raises(InputError, match="closed"):
        recorder.step(1.0)


def test_crash_while_writing_leaves_complete_checkpoints_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = CheckpointRecorder(tmp_path, model, optimizer, save_at=1)
    recorder.step(take_step(model, optimizer))
    loss = take_step(model, optimizer)

    def fail(*arguments: object, **named: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("safetensors.torch.save_model", fail)
    with pytest.raises(OSError, match="disk full"):
        recorder.step(loss)
    whole = [path.name for path in tmp_path.iterdir() if not path.name.endswith(".part")]
    assert whole == ["checkpoint-1"]


def test_refusals_say_what_to_do(tmp_path: Path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    (tmp_path / "used" / "checkpoint-7").mkdir(parents=True)
    with pytest.raises(InputError, match=r"already holds checkpoint-7.*new folder"):
        CheckpointRecorder(tmp_path / "used", model, optimizer)
    for wrong in (0, (), (0, 3)):
        with pytest.raises(InputError, match="save_at"):
            CheckpointRecorder(tmp_path / "new", model, optimizer, save_at=wrong)
    with pytest.raises(InputError, match="no file"):
        CheckpointRecorder(tmp_path / "new", model, optimizer, beside=[tmp_path / "absent.json"])
    with pytest.raises(InputError, match="3 entries, not one"):
        CheckpointRecorder(tmp_path / "new", model, optimizer).step(torch.ones(3))
    with pytest.raises(InputError, match="save_at` is 'often'"):
        CheckpointRecorder(tmp_path / "new", model, optimizer, save_at="often")
    with pytest.raises(InputError, match="no recorded checkpoint-7"):
        CheckpointRecorder(tmp_path / "used", model, optimizer, plan=Plan(resume_from=7))
    with pytest.raises(InputError, match="batch_size"):
        Plan(batch_size=0)


def test_files_and_state_are_those_that_the_trainer_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    config = transformers.ResNetConfig(
        num_channels=1, embedding_size=4, hidden_sizes=[4], depths=[1], layer_type="basic", num_labels=2
    )
    examples = [{"pixel_values": torch.rand(1, 8, 8), "labels": row % 2} for row in range(8)]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "theirs"), max_steps=4, per_device_train_batch_size=4, learning_rate=0.1,
        optim="sgd", logging_steps=1, save_steps=2, report_to=[], disable_tqdm=True, use_cpu=True,
        dataloader_pin_memory=False, seed=0,
    )  # fmt: skip
    model = transformers.ResNetForImageClassification(config)
    transformers.Trainer(model=model, args=arguments, train_dataset=examples).train()

    ours = transformers.ResNetForImageClassification(config)
    optimizer = torch.optim.SGD(ours.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 1 - step / 4
    )  # the Trainer's default
    batch = {"pixel_values": torch.stack([example["pixel_values"] for example in examples[:4]])}
    plan = Plan(steps_per_epoch=2, total_steps=4, batch_size=4)
    with CheckpointRecorder(tmp_path / "ours", ours, optimizer, save_at=2, plan=plan) as recorder:
        for _ in range(4):
            loss = ours(**batch, labels=torch.tensor([0, 1, 0, 1])).loss
            loss.backward()
            optimizer.step()
            recorder.step(loss)
            schedule.step()

    names = {path.name for path in (tmp_path / "ours").iterdir()}
    assert (
        names == {path.name for path in (tmp_path / "theirs").iterdir()} == {"checkpoint-2", "checkpoint-4"}
    )
    for name in names:
        their_files = {path.name for path in (tmp_path / "theirs" / name).iterdir()}
        assert {path.name for path in (tmp_path / "ours" / name).iterdir()} <= their_files
        tensors = [load_file(tmp_path / who / name / "model.safetensors") for who in ("theirs", "ours")]
        assert {key: value.shape for key, value in tensors[0].items()} == {
            key: value.shape for key, value in tensors[1].items()
        }
    theirs, mine = state_of(tmp_path / "theirs", 4), state_of(tmp_path / "ours", 4)
    for key in ("global_step", "epoch", "max_steps", "num_train_epochs", "train_batch_size"):
        assert mine[key] == theirs[key], key
    for entry, other in zip(mine["log_history"], theirs["log_history"], strict=False):
        assert (entry["step"], entry["epoch"]) == (other["step"], other["epoch"])
        assert entry["learning_rate"] == pytest.approx(other["learning_rate"])
    assert "loss" in mine["log_history"][-1]

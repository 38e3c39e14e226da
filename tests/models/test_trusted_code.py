from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tracin_viz.errors import InputError
from tracin_viz.models.bundle import inspect_run, open_run_folder
from tracin_viz.models.run_bundle import RunBundle

CODE = """
import torch
from layers_of_mine import make
{extra}
def build_model():
    return make()
"""
MAKE = """
import torch
def make():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 2))
"""
FORM = {"preprocessing": {"size": 8, "mean": [0.5, 0.4, 0.3], "std": [0.1, 0.2, 0.3], "channels": "rgb"}}


def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 2))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(CODE.format(extra=""))
    (tmp_path / "layers_of_mine.py").write_text(MAKE)
    for step in (1, 2):
        torch.manual_seed(step)
        torch.save(network().state_dict(), tmp_path / f"step{step}.pt")
    return tmp_path


def opened(run: Path, **asked) -> RunBundle:
    found = open_run_folder(run, trust_code=True, learning_rates=[0.1, 0.1], **asked)
    assert isinstance(found, RunBundle)
    return found


def test_code_is_not_run_unless_it_is_trusted(run):
    (run / "model.py").write_text("raise SystemExit('executed')\ndef build_model(): ...")
    with pytest.raises(InputError, match=r"'model.py' is Python code.*not opened.*--trust-code"):
        inspect_run(run, learning_rates=[0.1, 0.1])


def test_trusted_code_builds_the_network_with_the_files_beside_it(run):
    found = inspect_run(
        run, trust_code=True, learning_rates=[0.1, 0.1], options=FORM | {"classes": ["cat", "dog"]}
    )
    assert found["classes"] == ["cat", "dog"] and found["task"] == "image"
    assert "model.py builds the network" in found["reason"]
    assert opened(run, options=FORM).classes == ("LABEL_0", "LABEL_1")


def test_colour_order_mean_and_size_of_the_form_are_what_the_network_gets(run):
    picture = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    plain = opened(run, options=FORM).collate([picture])
    assert isinstance(plain, torch.Tensor)
    pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255
    mean, std = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.1, 0.2, 0.3])
    assert torch.allclose(plain[0], (pixels - mean[:, None, None]) / std[:, None, None], atol=1e-5)
    form = {"preprocessing": FORM["preprocessing"] | {"channels": "bgr"}}
    swapped = opened(run, options=form).collate([picture])
    assert torch.allclose(swapped[0], (pixels.flip(0) - mean[:, None, None]) / std[:, None, None], atol=1e-5)


def test_the_key_of_a_network_follows_the_code_and_the_files_it_imports(run):
    first = opened(run, options=FORM).identity()
    assert opened(run, options=FORM).identity() == first
    (run / "layers_of_mine.py").write_text(MAKE + "\n# changed")
    assert opened(run, options=FORM).identity() != first


def test_an_exported_program_is_opened_only_when_trusted_and_takes_any_number_of_examples(tmp_path):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)).eval()
    shapes = ({0: torch.export.Dim("n", min=1)},)
    torch.export.save(
        torch.export.export(model, (torch.ones(2, 3),), dynamic_shapes=shapes), tmp_path / "net.pt2"
    )
    torch.save(model.state_dict(), tmp_path / "10.pt")
    with pytest.raises(InputError, match=r"'net.pt2' is an exported program.*--trust-code"):
        inspect_run(tmp_path, learning_rates=[0.1])
    options = {"task": "tabular", "classes": ["a", "b"]}
    bundle = open_run_folder(tmp_path, trust_code=True, learning_rates=[0.1], options=options)
    inspect_run(tmp_path, trust_code=True, learning_rates=[0.1], options=options)
    rebuilt = bundle.build()
    rebuilt.load_state_dict(bundle.read_weights(bundle.checkpoints[0]))
    rows = [np.ones(3, dtype=np.float32), np.zeros(3, dtype=np.float32), np.ones(3, dtype=np.float32)]
    assert torch.allclose(rebuilt(bundle.collate(rows)), model(torch.from_numpy(np.stack(rows))))


@pytest.mark.parametrize(
    ("code", "options", "said"),
    [
        ("x = 1", FORM, "nothing that describes their network"),
        ("def build_model(): raise ValueError('no such layer')", FORM, "failed in build_model"),
        ("import nonesuch_anywhere\ndef build_model(): ...", FORM, "ModuleNotFoundError"),
        ("def build_model(): return 3", FORM, "returned a int"),
        ("def build_model(): ...\nTASK = 'sound'", {}, "says 'sound' for TASK"),
        ("def build_model(): ...", {}, "does not say TASK"),
        ("def build_model(): ...\nCLASSES = 3", FORM, "is no list of names"),
        (
            "import torch\ndef build_model(): return torch.nn.Linear(4, 2)\nTASK = 'tabular'",
            {},
            r"does not hold the weights of the network in model\.py \(.*missing: weight, bias",
        ),
    ],
)  # fmt: skip
def test_code_that_cannot_be_used_is_described_in_one_line(run, code, options, said):
    (run / "model.py").write_text(code)
    with pytest.raises(InputError, match=said) as caught:
        inspect_run(run, trust_code=True, learning_rates=[0.1, 0.1], options=options)
    assert "\n" not in str(caught.value) and caught.value.remedy


def test_unknown_or_senseless_options_are_refused(run):
    for options, said in (
        ({"colour": 1}, "'colour' of a model is not known"),
        ({"ema": "yes"}, "'ema' of a model is yes"),
        ({"task": "sound"}, "task cannot be 'sound'"),
        ({"classes": ["a", "a"]}, "repeat each other"),
        ({"preprocessing": {"channels": "cmyk"}}, "channels = 'cmyk' is not known"),
        ({"preprocessing": {"width": 3}}, "no setting 'width'"),
        ({"preprocessing": {"size": 0}}, r"\(size = 0\): it is not between"),
        ({"preprocessing": {"size": 8, "std": 0}}, "not positive"),
    ):
        with pytest.raises(InputError, match=said):
            opened(run, options=options)

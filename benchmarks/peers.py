"""The other tools, each in the fastest setting that was found for the same result.

A tool that is not installed, or that cannot do a workload, raises when it is run; the table then says so.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.metadata
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from benchmarks.workloads import Workload

Run = Callable[[], Any]
CAPTUM_EXACT = "captum, sample-wise influence"
CAPTUM_SELF = "captum, sample-wise self-influence"
CAPTUM_FAST = "captum Fast (last layer), influence"
CAPTUM_FAST_SELF = "captum Fast (last layer), self-influence"
KRONFLUENCE = "kronfluence, identity, pairwise"
DATTRI = "dattri TracIn, no projection"


def version(tool: str) -> str:
    """Installed version, or that there is none."""
    try:
        return importlib.metadata.version(tool)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def to_numpy(found: Any) -> np.ndarray:
    """Scores as an array."""
    return np.asarray(found.detach().cpu() if isinstance(found, Tensor) else found)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """No progress bars, no remarks of the tools on their own settings."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def _silently(run: Run) -> Run:
    def inside() -> Any:
        with _silent():
            return run()

    return inside


# ---- captum ---------------------------------------------------------------------------------------------


def captum_methods(work: Workload) -> dict[str, tuple[Run, bool]]:
    """TracInCP with ``sample_wise_grads_per_batch=True`` (full gradients) and TracInCPFast (last layer)."""

    def queries() -> tuple[Tensor, ...]:
        return tuple(tensor.to(work.device) for tensor in work.queries.tensors)

    loop = {"outer_loop_by_checkpoints": True}  # loads each checkpoint once, not once per batch
    return {
        CAPTUM_EXACT: (_silently(lambda: _captum(work).influence(queries())), True),
        CAPTUM_SELF: (_silently(lambda: _captum(work).self_influence(**loop)), False),
        CAPTUM_FAST: (_silently(lambda: _captum_fast(work).influence(queries())), True),
        CAPTUM_FAST_SELF: (_silently(lambda: _captum_fast(work).self_influence(**loop)), False),
    }


def _captum(work: Workload) -> Any:
    from captum.influence import TracInCP

    return TracInCP(work.model, _loader(work), sample_wise_grads_per_batch=True, **_captum_arguments(work))


def _captum_fast(work: Workload) -> Any:
    from captum.influence import TracInCPFast

    last = work.model.get_submodule(work.last)
    return TracInCPFast(work.model, last, _loader(work), **_captum_arguments(work))


def _captum_arguments(work: Workload) -> dict[str, Any]:
    def load(model: nn.Module, number: str) -> float:
        model.load_state_dict(work.states[int(number)])
        return work.rates[int(number)]

    return {
        "checkpoints": [str(number) for number in range(len(work.states))],
        "checkpoints_load_func": load,
        "loss_fn": nn.CrossEntropyLoss(reduction="sum"),
    }


def _loader(work: Workload) -> Any:
    """Training examples in batches on the model's device, as captum wants them."""

    def collate(rows: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        return tuple(torch.stack(column).to(work.device) for column in zip(*rows, strict=True))

    return DataLoader(work.train, batch_size=work.batch, collate_fn=collate)


# ---- kronfluence ----------------------------------------------------------------------------------------


def kronfluence_methods(work: Workload) -> dict[str, tuple[Run, bool]]:
    """Pairwise scores with the identity in place of the curvature: inner products of gradients."""
    return {KRONFLUENCE: (_silently(lambda: _kronfluence(work)), True)}


def _kronfluence(work: Workload) -> Any:
    from kronfluence.analyzer import Analyzer, prepare_model
    from kronfluence.arguments import FactorArguments, ScoreArguments
    from kronfluence.task import Task

    class Classification(Task):
        """The summed cross entropy, on both sides."""

        def compute_train_loss(self, batch: Any, model: nn.Module, sample: bool = False) -> Tensor:
            *inputs, labels = batch
            return functional.cross_entropy(model(*inputs), labels, reduction="sum")

        def compute_measurement(self, batch: Any, model: nn.Module) -> Tensor:
            return self.compute_train_loss(batch, model)

    total: Any = 0
    task = Classification()
    for state, rate in zip(work.states, work.rates, strict=True):
        # It wraps the modules it tracks in place, so each checkpoint gets a copy.
        model = copy.deepcopy(work.model)
        model.load_state_dict(state)
        model = prepare_model(model, task)
        with tempfile.TemporaryDirectory() as folder:
            analyzer = Analyzer(
                "benchmark",
                model,
                task,
                cpu=work.device.type == "cpu",
                disable_tqdm=True,
                output_dir=folder,
                log_level=logging.ERROR,
            )
            analyzer.fit_all_factors("identity", work.train, factor_args=FactorArguments("identity"))
            analyzer.compute_pairwise_scores(
                "scores",
                "identity",
                query_dataset=work.queries,
                train_dataset=work.train,
                per_device_query_batch_size=len(work.queries),
                per_device_train_batch_size=work.batch,
                score_args=ScoreArguments(),
            )
            total = total + rate * analyzer.load_pairwise_scores("scores")["all_modules"]
    return total


# ---- dattri ---------------------------------------------------------------------------------------------


def dattri_methods(work: Workload) -> dict[str, tuple[Run, bool]]:
    """Its TracIn attributor with whole gradients; by itself it projects them to a few hundred numbers."""
    return {DATTRI: (_silently(lambda: _dattri(work)), True)}


def _dattri(work: Workload) -> Any:
    from dattri.algorithm.tracin import TracInAttributor
    from dattri.task import AttributionTask

    def loss(parameters: Any, example: Any) -> Tensor:
        *inputs, label = example
        outputs = torch.func.functional_call(work.model, parameters, tuple(i[None] for i in inputs))
        return functional.cross_entropy(outputs, label[None])

    task = AttributionTask(loss_func=loss, model=work.model, checkpoints=work.states)
    attributor = TracInAttributor(
        task, torch.tensor(work.rates), normalized_grad=False, device=str(work.device)
    )
    attributor.projector_kwargs = None  # the constructor's None still projects to 512 numbers
    asked = DataLoader(work.queries, batch_size=len(work.queries))
    return attributor.attribute(DataLoader(work.train, batch_size=work.batch), asked).T


TOOLS: dict[str, Callable[[Workload], dict[str, tuple[Run, bool]]]] = {
    "captum": captum_methods,
    "kronfluence": kronfluence_methods,
    "dattri": dattri_methods,
}

"""One cell of the matrix: a form of data with a form of model, from the files to the scores."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.matrix import data_forms, model_forms, networks
from tests.matrix.data_forms import Writer
from tests.matrix.model_forms import Form
from tests.matrix.networks import Network
from tracin_viz.audit import Workspace
from tracin_viz.cli import main
from tracin_viz.config import Home
from tracin_viz.errors import JobError
from tracin_viz.jobs.inspector import Inspector, inspect


@dataclass
class Kind:
    """Forms that fit each other: all of their cells hold the same examples, weights and rates.

    Attributes:
        data: Forms of data by name.
        models: Forms of model by name.
        network: What the forms of model write.
        files: Folder for the files of this kind.
    """

    data: dict[str, Writer]
    models: dict[str, Form]
    network: Network
    files: Path
    _paths: dict[str, Path] = field(default_factory=dict)
    _runs: dict[str, tuple[Path, dict[str, Any]]] = field(default_factory=dict)

    def data_path(self, form: str) -> Path:
        """The data in that form, written once."""
        if form not in self._paths:
            folder = self.files / "data" / str(len(self._paths))
            folder.mkdir(parents=True)
            self._paths[form] = self.data[form](folder)
        return self._paths[form]

    def run(self, form: str) -> tuple[Path, dict[str, Any]]:
        """The run in that form, written once, and what else must be said to open it."""
        if form not in self._runs:
            folder = self.files / "runs" / str(len(self._runs))
            folder.mkdir(parents=True)
            arguments = self.models[form](folder, self.network)
            self._runs[form] = folder / "run" if (folder / "run").is_dir() else folder, arguments
        return self._runs[form]


def kinds(folder: Path) -> dict[str, Kind]:
    """All kinds of the matrix; the networks are trained here."""
    return {
        "images": Kind(data_forms.IMAGES, model_forms.CONFIGURED, networks.image_network(), folder / "i"),
        "texts": Kind(data_forms.TEXTS, model_forms.CONFIGURED, networks.text_network(), folder / "t"),
        "several labels": Kind(
            data_forms.TAGS, model_forms.CONFIGURED, networks.text_network(several=True), folder / "s"
        ),
        "adapters": Kind(data_forms.TEXTS, model_forms.ADAPTED, networks.adapted_network(), folder / "a"),
        "rows": Kind(data_forms.ROWS, model_forms.CODE, networks.row_network(), folder / "r"),
        "numbers": Kind(data_forms.NUMBERS, model_forms.CODE, networks.row_network(1), folder / "n"),
    }


def name_of(kind: Kind, data: str, model: str) -> str:
    """Name of a cell's audit."""
    return f"{kind.files.name}-{list(kind.data).index(data)}-{list(kind.models).index(model)}"


def scores_of(
    home: Path, kind: Kind, data: str, model: str, *, look_into: Inspector = inspect
) -> npt.NDArray[np.float64]:
    """Create and compute the audit of a cell; exact influence of every training example on ``test:1``.

    Args:
        home: The workspace.
        kind: The kind.
        data: Form of data.
        model: Form of model.
        look_into: How the run is looked into; by default as the app does it.

    Raises:
        TracinVizError: Some step does not work.
    """
    run, arguments = kind.run(model)
    name = name_of(kind, data, model)
    workspace = Workspace(Home(home))
    workspace.create(name, data=kind.data_path(data), model=run, look_into=look_into, **arguments)
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        code = main(["compute", "--home", str(home), name, "--sketch-dim", "64", "--workers", "1"])
    if code:
        raise JobError(f"{data} with {model}: {errors.getvalue()}")
    audit = workspace.open(name)
    found = audit.influence(query="test:1", top=100)
    scores = np.zeros(audit.splits["train"])
    for entry in (*found["proponents"], *found["opponents"]):
        scores[entry["row"]] = entry["score"]
    return scores

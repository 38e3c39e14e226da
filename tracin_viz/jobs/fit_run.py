"""Do data and model fit together? Asked of a process of its own, because that needs torch.

python -m tracin_viz.jobs.fit_run '{"path": model, "data": …, "mapping": …, "choices": …, "classes": …}'
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tracin_viz.jobs.looking import answer


def fit_run(request: dict[str, Any]) -> dict[str, Any]:
    """Accuracy and loss of every checkpoint on some examples; see ``fitting.fit``.

    Args:
        request: ``path`` of the model, ``data``, ``mapping`` (or ``None``), ``choices`` (arguments of
            ``open_run_folder``) and ``examples``, how many to try.
    """
    from tracin_viz.data.classes import match_classes  # after the arguments: torch takes seconds to load
    from tracin_viz.data.dataset import open_dataset
    from tracin_viz.data.mapping import DataMapping
    from tracin_viz.jobs.fitting import fit
    from tracin_viz.models.bundle import open_run_folder

    mapping = request.get("mapping")
    dataset = open_dataset(
        Path(request["data"]),
        mapping=None if mapping is None else DataMapping.from_dict(mapping),
    )
    choices = dict(request.get("choices") or {})
    if choices.get("architecture"):
        choices["architecture"] = Path(choices["architecture"])
    bundle = open_run_folder(Path(request["path"]), **choices)
    if dataset.target != "number":
        dataset = dataset.reordered(match_classes(bundle.classes, dataset.classes))
    return fit(dataset, bundle, examples=int(request.get("examples", 200)))


if __name__ == "__main__":
    sys.exit(answer(fit_run, sys.argv[1]))

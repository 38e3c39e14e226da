"""The report of an audit: one plain document gathered from the façade's own, and the page made of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tracin_viz import __version__
from tracin_viz.audit.reported import Making, Progress, clusters, explained, findings
from tracin_viz.audit.reviewed import annotators_document, reviewed_document
from tracin_viz.report.options import ReportOptions

if TYPE_CHECKING:
    from tracin_viz.audit.audit import Audit

LIBRARIES = ("torch", "transformers", "numpy", "pandas", "pyarrow", "scikit-learn", "umap-learn", "hdbscan")


def report_document(
    audit: Audit, options: ReportOptions | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Everything the report says, in plain values: the numbers are those of the other documents.

    Args:
        audit: The audit; its scores must be computed.
        options: What shall be in it.
        progress: Told how far it is.

    Raises:
        NotComputedError: No finished run.
        NotFoundError: The example that shall be explained does not exist.
    """
    wanted, tell = options or ReportOptions(), progress or _silent
    making = Making(audit, wanted, tell, f"report {uuid.uuid4().hex}")
    table = audit.examples("train")  # refuses with the remedy where nothing is computed yet
    percentiles = table["percentile"].to_numpy()
    found = audit.suspects(top=wanted.findings)
    document: dict[str, Any] = {
        "audit": audit.name,
        "title": audit.title,
        "task": audit.task,
        "target": audit.target,
        "made": time.time(),
        "version": __version__,
        "data": _data(audit, table["label"].value_counts()),
        "model": _model(audit),
        "checkpoints": _checkpoints(audit),
        "histogram": _histogram(table["self_influence"].to_numpy(), table["percentile"].to_numpy()),
        "recovery": found.get("recovery"),
        "review": reviewed_document(audit, percentiles),
        "decisions": annotators_document(audit),
        "findings": findings(making, found["suspects"]),
        "clusters": clusters(making),
        "influence": explained(making),
        "evidence": {
            "estimate": audit.estimate(),
            "retraining": audit.retraining(),
            "self_test": audit.self_test(),
        },
        "settings": _settings(audit),
    }
    if not wanted.names:
        _without_names(document)
    tell("done", 1, 1)
    return document


def _silent(part: str, done: int, total: int) -> None:
    return


def _data(audit: Audit, labels: Any) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    for problem in audit.record.problems:
        kinds[problem["kind"]] = kinds.get(problem["kind"], 0) + 1
    numbers = audit.target == "number"
    return {
        "splits": dict(audit.splits),
        "classes": [] if numbers else [(str(name), int(count)) for name, count in labels.items()],
        "problems": kinds,
        "origin": str(audit.notes.get("origin", "")),
        "licence": str(audit.notes.get("licence", "")),
    }


def _model(audit: Audit) -> dict[str, Any]:
    split = audit.query_split
    queries = audit.examples(split)
    optimizer = audit.notes.get("optimizer")
    return {
        "architecture": str(audit.notes.get("architecture", "")),
        "words": str(audit.notes.get("model", "")),
        "parameters": audit.notes.get("parameters"),
        "optimizer": str(optimizer.get("name", "")) if isinstance(optimizer, Mapping) else "",
        "split": split,
        "queries": len(queries),
        "wrong": None if audit.target == "number" else int(queries["wrong"].sum()),
    }


def _checkpoints(audit: Audit) -> list[dict[str, Any]]:
    plan = audit.results.plan()
    return [
        {
            "step": one.step,
            "epoch": one.epoch,
            "learning_rate": one.learning_rate,
            "train_loss": one.train_loss,
            "provenance": one.provenance,
            "used": place in plan.checkpoints,
        }
        for place, one in enumerate(audit.checkpoints)
    ]


def _histogram(scores: Any, percentiles: Any) -> dict[str, Any]:
    """Bins of self-influence, logarithmic where it spans powers of ten, and the line of the suspects."""
    values = np.asarray(scores, dtype=np.float64)
    finite = np.isfinite(values)
    kept = values[finite]
    if not kept.size:
        return {"edges": [], "counts": [], "logarithmic": False, "line": None, "missing": int(values.size)}
    positive = kept[kept > 0]
    logarithmic = bool(positive.size and kept.max() > 100 * max(np.quantile(kept, 0.05), positive.min()))
    floor = max(positive.min(), positive.max() * 1e-10) if positive.size else 1.0
    shown = np.log10(np.maximum(kept, floor)) if logarithmic else kept
    counts, edges = np.histogram(shown, bins=48)
    above = kept[np.asarray(percentiles)[finite] >= 90.0]
    line = float(above.min()) if above.size else None
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "logarithmic": logarithmic,
        "line": None if line is None else float(np.log10(max(line, floor))) if logarithmic else line,
        "missing": int((~finite).sum()),
    }


def _settings(audit: Audit) -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, version

    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return ""

    plan = audit.results.plan()
    created = f"tracin-viz create {audit.name} --data … --model …"
    settings = plan.settings
    return {
        "run": {**settings.as_dict(), "device": plan.device, "batch_size": plan.batch_size},
        "steps": [audit.checkpoints[place].step for place in plan.checkpoints],
        "versions": {name: found for name in LIBRARIES if (found := installed(name))},
        "record": audit.record.version(),
        "map": plan.map_key,
        "commands": [
            created,
            f"tracin-viz compute {audit.name} --sketch-dim {settings.sketch_dim} --sketch {settings.sketch}"
            f" --layers {settings.layers}",
            f"tracin-viz report {audit.name} --output report.html",
        ],
    }


def _without_names(document: dict[str, Any]) -> None:
    """Number the annotators, everywhere in the same way; notes may hold names too and are left out."""
    numbers = {one["name"]: str(place) for place, one in enumerate(document["decisions"]["annotators"], 1)}
    for one in document["decisions"]["annotators"]:
        one["name"] = numbers[one["name"]]
    for pair in document["decisions"]["pairs"]:
        pair["names"] = [numbers.get(name, "") for name in pair["names"]]
    for finding in document["findings"]:
        if finding["decision"]:
            finding["decision"]["by"] = numbers.get(finding["decision"]["by"], "")
            finding["decision"]["note"] = ""

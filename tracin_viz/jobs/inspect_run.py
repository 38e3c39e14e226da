"""Look into a model in a process of its own, because that needs torch and the app never loads it.

    python -m tracin_viz.jobs.inspect_run '{"mode": "inspect", "path": …, …}'

prints JSON, one document a line: any number of ``{"progress": [done, total, message]}``, then
``{"found": {…}}`` or ``{"error": {…}}``. Modes: ``inspect`` (open a run, load every checkpoint), ``validate``
(predict some examples at each checkpoint), ``preview`` (what an image model sees; loads no torch).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tracin_viz.errors import TracinVizError


def main(request: str) -> int:
    """Answer one request (see the module's text); returns the exit status."""
    wanted = json.loads(request)
    mode = wanted.pop("mode", "inspect")
    answer: dict[str, object]
    try:
        answer = {"found": {"inspect": _inspect, "validate": _validate, "preview": _preview}[mode](wanted)}
    except TracinVizError as error:
        answer = {
            "error": {
                "class": type(error).__name__,
                "message": error.message,
                "remedy": error.remedy,
                "problems": [problem.as_dict() for problem in error.problems],
            }
        }
    _say(answer)
    return 0


def _say(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _inspect(wanted: dict[str, Any]) -> dict[str, Any]:
    from tracin_viz.models.bundle import inspect_run

    return inspect_run(Path(wanted.pop("path")), **_choices(wanted))


def _validate(wanted: dict[str, Any]) -> dict[str, Any]:
    from tracin_viz.jobs.validation import validate

    def report(done: int, total: int, message: str) -> None:
        _say({"progress": [done, total, message]})

    data, model = Path(wanted.pop("data")), Path(wanted.pop("path"))
    mapping = wanted.pop("mapping", None)
    return validate(data, model, mapping=mapping, on_progress=report, **_choices(wanted))


def _preview(wanted: dict[str, Any]) -> dict[str, Any]:
    from PIL import Image

    from tracin_viz.models.image_choices import image_preprocessing, image_settings, model_view

    folder = Path(wanted["path"])
    newest = sorted(folder.glob("checkpoint-*"), key=lambda path: (len(path.name), path.name))[-1:]
    settings = image_settings([*newest, folder])
    chosen = (wanted.get("options") or {}).get("preprocessing")
    with Image.open(wanted["image"]) as picture:
        content = picture.convert("RGB")
    return model_view(image_preprocessing(settings, chosen, channels=None), content)


def _choices(wanted: dict[str, Any]) -> dict[str, Any]:
    named = wanted.get("architecture")
    return wanted | ({"architecture": Path(named)} if named else {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

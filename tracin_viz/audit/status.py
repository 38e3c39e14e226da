"""The status document of DESIGN §9: state, units, time left, and what the log said last."""

from __future__ import annotations

from typing import Any

from tracin_viz.config import Home
from tracin_viz.jobs.records import Job, seconds_left
from tracin_viz.store import plan as plans
from tracin_viz.store.artifacts import ArtifactStore


def status_document(home: Home, name: str, job: Job | None) -> dict[str, Any]:
    """The state of the newest job of ``name``; ``created`` where none was started yet.

    ``units`` counts gradient units in the store once there is a plan, whichever run made them; before that
    (a demo in training) it counts the steps of the stage.
    """
    units = _units(home, name)
    if job is None:
        return {
            "audit": name,
            "state": "created",
            "units": units or {"done": 0, "total": 0},
            "seconds_left": None,
            "message": "Nothing was computed yet.",
            "stage": "",
            "job": None,
            "kind": None,
            "log": None,
        }
    running = job.state in ("queued", "running")
    return {
        "audit": name,
        "state": job.state,
        "units": units or {"done": job.done, "total": job.total},
        "stage_progress": {"done": job.done, "total": job.total},
        "seconds_left": seconds_left(job) if running else None,
        "message": job.message,
        "stage": job.stage,
        "job": job.id,
        "kind": job.kind,
        "log": job.log,
    }


def _units(home: Home, name: str) -> dict[str, int] | None:
    plan = plans.load(home, name)
    if plan is None:
        return None
    store = ArtifactStore(home.artifacts)
    return {"done": store.present(plan.units), "total": len(plan.units)}

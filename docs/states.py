"""Workspaces in the states that a page can be in before and beside its results, for docs/screenshots.

Empty, registered but not computed, computing, cancelled, failed, unknown, read-only, somebody's data with
mistakes: everything is made by the package's own commands from small real data, nothing is drawn by hand.
"""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests import tiny
from tests.browser.serving import serve
from tracin_viz.audit import Workspace
from tracin_viz.cli import main as command
from tracin_viz.config import Home


@dataclass(frozen=True)
class State:
    """One state: how its workspace is made, where it is seen, and with which variables the app is started.

    Attributes:
        make: Called with the folder of the state's workspace and with the finished digits demo's workspace;
            returns the path of the address.
        unmake: Called with the folder at the end.
    """

    make: Callable[[Path, Path], str]
    unmake: Callable[[Path], None] = lambda _: None
    variables: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def shown(state: State, folder: Path, digits: Path) -> Iterator[str]:
    """Make ``state`` in ``folder`` and serve it; yields the address of its page."""
    home = folder / "home"
    home.mkdir()
    path = state.make(home, digits)
    try:
        with serve(
            home, log=folder / "log", HOME=str(folder), TRACIN_VIZ_ROOTS=str(folder), **state.variables
        ) as at:
            yield f"{at}/{path}"
    finally:
        state.unmake(home)


def _run(home: Path, *arguments: str, code: int = 0) -> None:
    """One command on the workspace ``home``; another exit status than ``code`` is an error."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        ended = command([arguments[0], "--home", str(home), *arguments[1:]])
    if ended != code:
        raise RuntimeError(f"{' '.join(arguments)} ended with {ended}:\n{said.getvalue()}")


def _registered(home: Path) -> tuple[Path, Path]:
    """Register an audit of shapes that a small ResNet tells apart; returns its data and its run folder."""
    data = tiny.write_images(home.parent / "shapes")
    model = tiny.train_run(home.parent / "run", data)
    _run(home, "create", "shapes", "--data", str(data), "--model", str(model))
    return data, model


def _empty(home: Path, digits: Path) -> str:
    return ""


def _new(page: str) -> Callable[[Path, Path], str]:
    def make(home: Path, digits: Path) -> str:
        _registered(home)
        return f"{page}?audit=shapes"

    return make


def _running(home: Path, digits: Path) -> str:
    """The digits once more, from the demo's files: long enough to be seen."""
    record = Workspace(Home(digits)).open("digits").record
    _run(home, "create", "digits-again", "--data", record.data, "--model", record.model)
    _run(home, "compute", "digits-again", "--detach", "--sketch-dim", "4096")
    return "compute?audit=digits-again"


def _stop(home: Path) -> None:
    _run(home, "cancel", "digits-again")


def _cancelled(home: Path, digits: Path) -> str:
    path = _running(home, digits)
    _stop(home)
    return path


def _failed(home: Path, digits: Path) -> str:
    _, model = _registered(home)
    shutil.rmtree(model)
    _run(home, "compute", "shapes", code=1)
    return "compute?audit=shapes"


def _unknown(home: Path, digits: Path) -> str:
    _registered(home)
    return "influence?audit=shades"


def _mistakes(home: Path, digits: Path) -> str:
    """Data with a file that is no picture, in a draft that names it."""
    data = tiny.write_images(home.parent / "shapes")
    (data / "train" / "ring" / "003.png").write_bytes(b"no picture")
    drafts = Workspace(Home(home)).drafts
    return f"own?draft={drafts.write(replace(drafts.new(), data='~/shapes')).id}"


def _looking(home: Path, digits: Path) -> str:
    shutil.copytree(digits, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("runtime"))
    return "suspects?audit=digits"


def _presented(home: Path, digits: Path) -> str:
    _looking(home, digits)
    return "report?audit=digits&present=2"


STATES = {
    "state-empty": State(_empty),
    "state-not-computed": State(_new("influence")),
    "state-ready-to-compute": State(_new("compute")),
    "state-computing": State(_running, unmake=_stop),
    "state-cancelled": State(_cancelled),
    "state-failed": State(_failed),
    "state-unknown-audit": State(_unknown),
    "state-data-with-mistakes": State(_mistakes),
    "state-read-only": State(_looking, variables={"TRACIN_VIZ_READ_ONLY": "1"}),
    "state-presentation": State(_presented),
}

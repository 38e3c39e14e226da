"""What several test modules share: tiny audits, the finished demo, and no process left behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests import scheduling, tiny
from tracin_viz.audit import Workspace, warming
from tracin_viz.cli import main
from tracin_viz.config import Home
from tracin_viz.jobs import looking, runner
from tracin_viz.jobs.query_client import QueryClient

# One thread: sums in another order differ in the last bits, and two test processes share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Each page of an audit would start a query process of its own; the test of it switches it on.
os.environ["TRACIN_VIZ_WARM"] = "0"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, and what shares a server one after another (``make test`` keeps this order)."""
    items.sort(key=lambda item: scheduling.rank(item.nodeid.partition("::")[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files go to the test processes, whatever ``--dist`` says."""
    return scheduling.ByFile(config, log)


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """``AppTest`` leaves a page as the main module, which processes of later tests would run again."""
    kept = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = kept


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Its JSON document."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def run_command(*arguments: str, home: Path) -> Result:
    """Run one command of the package in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([arguments[0], "--home", str(home), *arguments[1:]])
    return Result(code, out.getvalue(), err.getvalue())


def end_query_process(home: Path) -> None:
    """End the warm process of a workspace and collect its exit status."""
    warming.wait(60.0)  # a page may have asked for it a moment ago
    QueryClient(Home(home)).stop()
    runner.reap()


@pytest.fixture(scope="session", autouse=True)
def looked_here() -> Iterator[None]:
    """Data and models are looked at by the real code in this process: a process for each costs six seconds.

    Requests and answers are JSON all the same. ``looked_elsewhere`` is for tests of the processes.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looking, "asked", _asked_here)
        yield


@pytest.fixture
def looked_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks are processes of their own, as in the app."""
    monkeypatch.setattr(looking, "asked", _ASKED)


_ASKED = looking.asked


def _asked_here(kind: str, request: Mapping[str, Any], cancelled: object) -> dict[str, Any]:
    from tracin_viz.jobs.fit_run import fit_run
    from tracin_viz.jobs.inspect_run import inspected

    question = {"data": looking.look_at_data, "model": inspected, "fit": fit_run}[kind]
    found: dict[str, Any] = json.loads(json.dumps(looking.answered(question, json.dumps(request))))
    return found


@pytest.fixture
def answered_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions are answered by the query process's own code in this process, which has torch anyway."""

    by_home: dict[Path, Any] = {}
    one_at_a_time = threading.RLock()  # as in that process

    def ask(client: QueryClient, kind: str, header: dict[str, Any], arrays: Any = (), **_: Any) -> Any:
        from tracin_viz.jobs.answers import Answers

        with one_at_a_time:
            answers = by_home.setdefault(client._home.root, Answers(client._home))
            return answers(kind, json.loads(json.dumps(header)), list(arrays), lambda: False)

    monkeypatch.setattr(QueryClient, "ask", ask)


@dataclass(frozen=True)
class TinyFiles:
    """Data and run folder of the tiny model; tests only read them."""

    data: Path
    model: Path


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first of all test processes makes; the others wait for it. It is only read."""
    base = factory.getbasetemp()
    together = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made, finished = together / name, together / f"{name}-finished"
    with FileLock(together / f"{name}.lock"):
        if not finished.exists():
            make(made)
            finished.touch()
    return made


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> TinyFiles:
    def make(folder: Path) -> None:
        tiny.train_run(folder / "run", tiny.write_images(folder / "data"))

    folder = made_once(tmp_path_factory, "tiny", make)
    return TinyFiles(folder / "data", folder / "run")


@pytest.fixture(scope="session")
def created_home(tiny_files: TinyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose audit ``tiny`` is registered, nothing computed; tests copy it."""

    def make(home: Path) -> None:
        files = ("--data", str(tiny_files.data), "--model", str(tiny_files.model))
        made = run_command("create", "tiny", *files, home=home)
        assert made.code == 0, made.err

    return made_once(tmp_path_factory, "created-home", make)


@pytest.fixture
def fresh_home(created_home: Path, tmp_path: Path) -> Path:
    """A test's own copy of ``created_home`` (an audit's record holds no path of its workspace)."""
    home = tmp_path / "fresh-home"
    shutil.copytree(created_home / "audits", home / "audits")
    return home


@pytest.fixture(scope="session")
def tiny_home(created_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace whose audit ``tiny`` is computed; tests may add decisions, nothing else."""

    def make(home: Path) -> None:
        shutil.copytree(created_home / "audits", home / "audits")
        done = run_command("compute", "tiny", "--sketch-dim", "256", home=home)
        assert done.code == 0, done.err

    made = made_once(tmp_path_factory, "tiny-made", make)
    home = tmp_path_factory.mktemp("tiny") / "home"
    shutil.copytree(made, home, ignore=shutil.ignore_patterns("runtime"))
    yield home
    end_query_process(home)


@pytest.fixture(scope="session")
def failed_home(tiny_files: TinyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose audit's model vanished, so that its run really failed."""
    home = tmp_path_factory.mktemp("failed-home")
    model = home / "run"
    shutil.copytree(tiny_files.model, model)
    made = run_command("create", "broken", "--data", str(tiny_files.data), "--model", str(model), home=home)
    assert made.code == 0, made.err
    shutil.rmtree(model)
    assert run_command("compute", "broken", home=home).code == 1
    return home


@pytest.fixture
def workspace(tiny_home: Path) -> Workspace:
    return Workspace(Home(tiny_home))


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with the finished digits demo, exactly as ``make run`` prepares it.

    It is made once for all test processes; each works on a copy.
    """

    def make(home: Path) -> None:
        done = run_command("demo", "digits", home=home)
        assert done.code == 0, done.err
        end_query_process(home)

    made = made_once(tmp_path_factory, "demo-made", make)
    home = tmp_path_factory.mktemp("demo") / "home"
    shutil.copytree(made, home, ignore=shutil.ignore_patterns("runtime"))
    yield home
    end_query_process(home)

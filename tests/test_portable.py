from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from tracin_viz.errors import StoreError
from tracin_viz.portable import (
    exclusive,
    lower_thread_priority,
    process_alive,
    process_token,
    rename_durably,
    spawn_detached,
    sync_file,
)


def test_a_rename_replaces_the_older_file(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("old")
    new.write_text("new")
    sync_file(new)
    rename_durably(new, old)
    assert old.read_text() == "new"
    assert not new.exists()


def test_a_lock_keeps_other_processes_out_and_names_what_it_is_for(tmp_path):
    lock = tmp_path / "locks" / "one"
    code = (
        "import sys, pathlib\n"
        "from tracin_viz.portable import exclusive\n"
        f"with exclusive(pathlib.Path({str(lock)!r}), timeout=60, doing='holding'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(StoreError, match="Another process has been testing"),
            exclusive(lock, timeout=0.1, doing="testing"),
        ):
            raise AssertionError("two processes hold one lock")
        holder.communicate("go\n")
    with exclusive(lock, timeout=60, doing="testing"):
        pass


def test_a_process_is_known_by_number_and_start(tmp_path):
    own = process_token(os.getpid())
    assert process_alive(os.getpid(), own)
    assert not process_alive(os.getpid(), "another start")
    assert not process_alive(None, own)


def test_a_detached_process_writes_its_log_and_is_dead_once_it_ended(tmp_path):
    log = tmp_path / "logs" / "run.log"
    process = spawn_detached([sys.executable, "-c", "print('said')"], log=log)
    token = process_token(process.pid)
    assert process.wait(60) == 0
    assert "said" in log.read_text()
    assert not process_alive(process.pid, token)


def test_a_zombie_does_not_count_as_alive():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    token = process_token(process.pid)
    assert process_alive(process.pid, token)
    assert process.stdin is not None
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, but nobody asked for its status yet
    assert not process_alive(process.pid, token)
    process.wait(60)


def test_a_thread_that_steps_back_leaves_the_others_where_they_are():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    found = []

    def work() -> None:
        lower_thread_priority()
        found.append(os.getpriority(os.PRIO_PROCESS, 0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [max(before, 5) if sys.platform == "linux" else before]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before

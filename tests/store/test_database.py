"""The workspace database under threads, processes and failing migrations."""

from __future__ import annotations

import gc
import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest

from tracin_viz.errors import StoreError
from tracin_viz.store import database as module
from tracin_viz.store.database import Database
from tracin_viz.store.migrations import MIGRATIONS
from tracin_viz.store.network_drives import mounts_of_linux, mounts_of_macos, network_type, network_type_in


@pytest.fixture
def database(tmp_path: Path):
    opened = Database(tmp_path / "workspace.db")
    yield opened
    opened.close()


def add_view(database: Database, name: str) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO views VALUES ('a', ?, '{}', 0)", (name,))


def count(database: Database, table: str) -> int:
    return database.read(f"SELECT count(*) FROM {table}")[0][0]


def add_event(database: Database, uuid: str = "u1", verb: str = "INSERT") -> None:
    with database.write() as connection:
        connection.execute(
            f"{verb} INTO events (event_uuid, audit, action) VALUES (?, 'digits', 'keep')", (uuid,)
        )


def test_a_fresh_database_has_every_table_and_uses_wal(database):
    names = {row["name"] for row in database.read("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"jobs", "events", "sessions", "views", "thumbnails"} <= names
    assert database.read("PRAGMA journal_mode")[0][0] == "wal"
    assert database.read("PRAGMA foreign_keys")[0][0] == 1
    assert database.read("PRAGMA busy_timeout")[0][0] >= 5000


def test_opening_again_applies_nothing(database):
    add_view(database, "kept")
    again = Database(database.path)
    assert count(again, "views") == 1
    assert count(again, "migrations") == len(MIGRATIONS)
    again.close()


def test_a_write_that_raises_leaves_nothing_behind(database):
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute("INSERT INTO views VALUES ('a', 'x', '{}', 0)")
        raise ZeroDivisionError
    assert count(database, "views") == 0
    add_view(database, "later")  # and the connection is still of use
    assert count(database, "views") == 1


def test_reading_cannot_write(database):
    with pytest.raises((StoreError, sqlite3.OperationalError)):
        database.read("INSERT INTO views VALUES ('a', 'x', '{}', 0)")
    assert count(database, "views") == 0


def test_a_failing_migration_leaves_nothing_behind_and_can_be_repeated(tmp_path):
    def second(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE extra (x)")
        connection.execute("INSERT INTO views VALUES ('a', 'from migration', '{}', 0)")
        connection.execute("CREATE TABLE jobs (already TEXT)")  # exists

    path = tmp_path / "workspace.db"
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        Database(path, migrations=[*MIGRATIONS, ("extra", second)])
    gc.collect()
    opened = Database(path)
    assert opened.read("SELECT name FROM sqlite_master WHERE name = 'extra'") == []
    assert count(opened, "views") == 0
    assert [row["name"] for row in opened.read("SELECT name FROM migrations ORDER BY position")] == [
        name for name, _ in MIGRATIONS
    ]
    opened.close()


def test_a_database_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "workspace.db"
    Database(path, migrations=[*MIGRATIONS, ("future", lambda connection: None)]).close()
    with pytest.raises(StoreError, match=r"another version.*future.*Update"):
        Database(path)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "workspace.db"
    path.write_bytes(b"my holiday pictures, definitely not SQLite" * 100)
    with pytest.raises(StoreError, match="no TracIn-Viz database"):
        Database(path)
    assert path.read_bytes().startswith(b"my holiday")


@pytest.mark.parametrize("statement", ["UPDATE events SET action = 'exclude'", "DELETE FROM events"])
def test_events_cannot_be_changed_or_removed(database, statement):
    add_event(database)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), database.write() as connection:
        connection.execute(statement)
    assert database.read("SELECT action FROM events")[0][0] == "keep"


def test_events_cannot_be_replaced(database):
    add_event(database)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        add_event(database, verb="INSERT OR REPLACE")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        add_event(database)
    add_event(database, verb="INSERT OR IGNORE")  # sending an event twice is harmless
    assert [row["seq"] for row in database.read("SELECT seq FROM events")] == [1]


def test_threads_write_without_losing_rows(database):
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(25):
                add_view(database, f"{name}-{number}")
                count(database, "views")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    assert count(database, "views") == 100


def test_connections_of_ended_threads_are_closed(database):
    held = []

    def look() -> None:
        database.read("SELECT 1")
        held.append(database._local.held.connection)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(60)
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        held[0].execute("SELECT 1")


def count_up(path: str, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    database = Database(Path(path))  # all processes open a file that does not exist yet
    for _ in range(20):
        with database.write() as connection:  # read, then write: lost updates would show
            row = connection.execute("SELECT state FROM views WHERE name = 'n'").fetchone()
            value = int(row["state"]) + 1 if row else 1
            connection.execute("INSERT OR REPLACE INTO views VALUES ('a', 'n', ?, 0)", (str(value),))
    database.close()


def test_processes_open_and_count_together(tmp_path):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    path = tmp_path / "home" / "workspace.db"
    workers = [context.Process(target=count_up, args=(str(path), start)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    database = Database(path)
    assert database.read("SELECT state FROM views")[0][0] == "60"
    assert count(database, "migrations") == len(MIGRATIONS)
    database.close()


def test_a_busy_database_is_explained(database, monkeypatch):
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
    other = Database(database.path)
    try:
        with (
            database.write(),
            pytest.raises(StoreError, match=r"locked.*try again in a moment"),
            other.write(),
        ):
            pytest.fail("two writers at once")
    finally:
        other.close()


def test_write_inside_write_is_a_mistake(database):
    with database.write(), pytest.raises(RuntimeError, match="inside"), database.write():
        pass


def test_a_network_file_system_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "network_type", lambda path: "nfs4")
    with pytest.raises(StoreError, match=r"network file system \(nfs4\).*--home"):
        Database(tmp_path / "new" / "workspace.db")
    assert not (tmp_path / "new").exists()


def test_network_mounts_of_linux_are_recognised():
    table = "\n".join(
        [
            "/dev/vda / ext4 rw 0 0",
            "server:/home /home nfs4 rw 0 0",
            r"//nas/share /mnt/my\040share cifs rw 0 0",
            "/dev/vdb /home/local ext4 rw 0 0",
            "me@host: /mnt/ssh fuse.sshfs rw 0 0",
        ]
    )
    mounts = mounts_of_linux(table)
    expected = {
        "/tmp/x": None,
        "/home/me/workspace.db": "nfs4",
        "/homestead/workspace.db": None,
        "/home/local/workspace.db": None,
        "/mnt/my share/a": "cifs",
        "/mnt/ssh/a": "fuse.sshfs",
    }
    assert {path: network_type_in(mounts, Path(path)) for path in expected} == expected


def test_network_mounts_of_macos_are_recognised():
    listing = "/dev/disk3s1 on / (apfs, local, journaled)\n//me@nas/x on /Volumes/my disk (smbfs, nodev)\n"
    mounts = mounts_of_macos(listing)
    assert network_type_in(mounts, Path("/Volumes/my disk/w")) == "smbfs"
    assert network_type_in(mounts, Path("/Users/me")) is None


def test_the_folder_of_this_test_is_local(tmp_path):
    assert network_type(tmp_path / "not" / "there") is None

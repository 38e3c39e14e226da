"""Saved views: the state of a page, which is its address, under a name that somebody gave it.

A view holds no results: opened after a new run it shows the same question about the new scores.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.store.database import Database

#: Views of one audit at most; more are a sign that something saves them by itself.
MOST = 500
LONGEST_NAME = 80
LONGEST_STATE = 8_000
_PAGE = re.compile(r"[a-z][a-z_]{0,40}")
#: What an address says: by name one value, or several.
Parameters = Mapping[str, str | Sequence[str]]

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class View:
    """A saved view.

    Attributes:
        name: What somebody called it; unique within the audit.
        page: Name of the page in its address.
        parameters: Of the address, by name; a list where the address has the name several times.
        created: Seconds since 1970.
    """

    name: str
    page: str
    parameters: dict[str, str | list[str]]
    created: float

    def values(self, name: str) -> list[str]:
        """All values that the address has under ``name``."""
        found = self.parameters.get(name, [])
        return [found] if isinstance(found, str) else list(found)

    def value(self, name: str) -> str:
        """The value under ``name``, the last of several; empty where there is none."""
        return next(reversed(self.values(name)), "")


class Views:
    """The saved views of one audit.

    Args:
        database: The workspace's.
        audit: Name of the audit.
    """

    def __init__(self, database: Database, audit: str) -> None:
        self._database = database
        self._audit = audit

    def save(self, name: str, page: str, parameters: Parameters) -> View:
        """Keep a page's state under ``name``.

        Raises:
            InputError: The name is empty, too long, or taken; or this is no page's state.
        """
        view = View(_named(name), page, _plain(parameters), time.time())
        self._insert(view)
        return view

    def restore(self, view: View) -> None:
        """Bring back a view that was removed.

        Raises:
            InputError: Its name was given to another one meanwhile.
        """
        self._insert(replace(view, name=_named(view.name)))

    def newest_first(self) -> list[View]:
        """All views of the audit."""
        rows = self._database.read(
            "SELECT name, state, created FROM views WHERE audit = ? ORDER BY created DESC, name",
            (self._audit,),
        )
        return [_view(row["name"], row["state"], row["created"]) for row in rows]

    def get(self, name: str) -> View:
        """The view called ``name``.

        Raises:
            NotFoundError: This audit has none of that name.
        """
        rows = self._database.read(
            "SELECT name, state, created FROM views WHERE audit = ? AND name = ?", (self._audit, name)
        )
        if not rows:
            raise NotFoundError(
                f"Audit '{self._audit}' has no view called '{name}'.",
                remedy="Its views are listed beside the heading of every page.",
            )
        return _view(rows[0]["name"], rows[0]["state"], rows[0]["created"])

    def rename(self, name: str, new: str) -> View:
        """Call the view ``name`` ``new`` from now on.

        Raises:
            NotFoundError: There is no such view.
            InputError: The new name is empty, too long, or taken.
        """
        view, wanted = self.get(name), _named(new)
        if wanted == view.name:
            return view
        with self._database.write() as connection:
            self._free(connection.execute, wanted)
            connection.execute(
                "UPDATE views SET name = ? WHERE audit = ? AND name = ?", (wanted, self._audit, view.name)
            )
        return replace(view, name=wanted)

    def remove(self, name: str) -> View:
        """Remove the view ``name``; returns it, so that it can be brought back.

        Raises:
            NotFoundError: There is no such view.
        """
        view = self.get(name)
        with self._database.write() as connection:
            connection.execute("DELETE FROM views WHERE audit = ? AND name = ?", (self._audit, name))
        return view

    def _insert(self, view: View) -> None:
        state = json.dumps({"page": view.page, "parameters": view.parameters}, ensure_ascii=False)
        if not _PAGE.fullmatch(view.page) or len(state) > LONGEST_STATE:
            raise InputError(
                f"The state of page '{view.page[:40]}' cannot be kept as a view.",
                remedy="Open one of the app's pages and save what it shows.",
            )
        with self._database.write() as connection:
            self._free(connection.execute, view.name)
            number = connection.execute(
                "SELECT count(*) FROM views WHERE audit = ?", (self._audit,)
            ).fetchone()[0]
            if number >= MOST:
                raise InputError(
                    f"Audit '{self._audit}' has {number} views, which is the most that are kept.",
                    remedy="Delete some that nobody needs.",
                )
            connection.execute(
                "INSERT INTO views (audit, name, state, created) VALUES (?, ?, ?, ?)",
                (self._audit, view.name, state, view.created),
            )

    def _free(self, execute: Callable[..., sqlite3.Cursor], name: str) -> None:
        taken = execute("SELECT 1 FROM views WHERE audit = ? AND name = ?", (self._audit, name)).fetchone()
        if taken:
            raise InputError(
                f"There is a view called '{name}' already.", remedy="Choose another name, or delete that one."
            )


def _named(name: str) -> str:
    """The name without signs that no reader sees.

    Raises:
        InputError: Nothing is left of it, or it is too long.
    """
    kept = " ".join(_CONTROL.sub(" ", name).split())
    if not kept or len(kept) > LONGEST_NAME:
        raise InputError(
            "A view needs a name." if not kept else f"The name of the view has {len(kept)} characters.",
            remedy=f"Give it one of 1 to {LONGEST_NAME} characters.",
        )
    return kept


def _view(name: str, state: str, created: float) -> View:
    kept = json.loads(state)
    return View(name, str(kept["page"]), _plain(kept["parameters"]), created)


def _plain(parameters: Parameters) -> dict[str, str | list[str]]:
    """The parameters with a list only where there are several values."""
    found: dict[str, str | list[str]] = {}
    for name in parameters:
        values = parameters[name]
        several = [str(one) for one in values] if isinstance(values, list | tuple) else [str(values)]
        found[str(name)] = several[0] if len(several) == 1 else several
    return found

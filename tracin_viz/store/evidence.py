"""Answers to "does it help?": estimates, retrainings and self-tests of an audit, each kept under its inputs.

The document itself is an artifact, so it is whole or absent; the table only says which one belongs to which
audit, and which is the newest. A result of older decisions is never thrown away: it is shown as what it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tracin_viz.errors import InputError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.database import Database
from tracin_viz.store.plan import RunPlan

#: What can be asked, in the words of the command line.
KINDS = ("estimate", "retrain", "self-test")
DOCUMENT = "document.json"


@dataclass(frozen=True)
class Kept:
    """A kept answer.

    Attributes:
        key: Content key of what it was computed from.
        created: Seconds since 1970 when it was (last) asked for.
        document: The answer.
    """

    key: str
    created: float
    document: dict[str, Any]


def inputs_of(plan: RunPlan, rates: Sequence[float], changes: str) -> dict[str, str]:
    """What an answer was computed from, so that a page can say what changed since.

    Args:
        plan: Of the run.
        rates: Learning-rate weights of its checkpoints.
        changes: Content key of what decisions change.
    """
    return {"results": fingerprint([plan.units, list(rates)]), "changes": changes}


class EvidenceBook:
    """The kept answers of one audit.

    Args:
        database: The workspace's.
        store: Its artifacts.
        audit: Name of the audit.
    """

    def __init__(self, database: Database, store: ArtifactStore, audit: str) -> None:
        self._database = database
        self._store = store
        self._audit = audit

    def find(self, key: str) -> dict[str, Any] | None:
        """The document under ``key``, where it is in the store and whole."""
        if not self._store.is_whole(key):
            return None
        found: dict[str, Any] = json.loads((self._store.path(key) / DOCUMENT).read_text(encoding="utf-8"))
        return found

    def keep(self, kind: str, variant: str, key: str, document: dict[str, Any]) -> None:
        """Store an answer, or note that one in the store was asked for again.

        Args:
            kind: One of ``KINDS``.
            variant: What else tells answers of a kind apart that people look at side by side.
            key: Content key of the inputs.
            document: Plain JSON values without NaN.
        """
        if kind not in KINDS:
            raise InputError(f"'{kind}' is no kind of evidence.", remedy=f"Possible: {', '.join(KINDS)}.")
        if not self._store.is_whole(key):
            text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True)
            with self._store.writing(key, {"kind": f"evidence {kind}"}) as folder:
                (folder / DOCUMENT).write_text(text, encoding="utf-8")
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO evidence (audit, kind, variant, key, created) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (audit, kind, variant, key) DO UPDATE SET created = excluded.created",
                (self._audit, kind, variant, key, time.time()),
            )

    def newest(self, kind: str, variant: str | None = None) -> Kept | None:
        """The newest answer of a kind, of one variant where that is given."""
        rows = self._database.read(
            "SELECT key, created FROM evidence WHERE audit = ? AND kind = ? AND (? IS NULL OR variant = ?) "
            "ORDER BY created DESC, rowid DESC LIMIT 20",
            (self._audit, kind, variant, variant),
        )
        for row in rows:
            document = self.find(row["key"])
            if document is not None:
                return Kept(row["key"], row["created"], document)
        return None

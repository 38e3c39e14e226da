"""Settings that all visitors of a workspace share, in its database."""

from __future__ import annotations

import secrets

from tracin_viz.store.database import Database

_SIGNING = "signing key"


class Settings:
    """The settings of one audit; of the workspace itself where ``audit`` is empty."""

    def __init__(self, database: Database, audit: str = "") -> None:
        self._database = database
        self._audit = audit

    def get(self, name: str) -> str | None:
        """The value; ``None`` where it was never set."""
        rows = self._database.read(
            "SELECT value FROM settings WHERE audit = ? AND name = ?", (self._audit, name)
        )
        return str(rows[0]["value"]) if rows else None

    def set(self, name: str, value: str) -> None:
        """Set it for everybody."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO settings (audit, name, value) VALUES (?, ?, ?) "
                "ON CONFLICT (audit, name) DO UPDATE SET value = excluded.value",
                (self._audit, name, value),
            )


def signing_key(database: Database) -> bytes:
    """The secret that this workspace signs with; made at the first use, the same for all its processes."""
    with database.write(passing=True) as connection:
        connection.execute(
            "INSERT OR IGNORE INTO settings (audit, name, value) VALUES ('', ?, ?)",
            (_SIGNING, secrets.token_hex(32)),
        )
    return bytes.fromhex(Settings(database).get(_SIGNING) or "")

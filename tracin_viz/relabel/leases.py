"""Examples of a shared queue that were offered to somebody: for a while they are offered to nobody else.

A lease is a courtesy and no lock: a decision is stored whoever holds the lease, so that nobody loses one
because of a break or a bad connection.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from tracin_viz.store.database import Database

#: Seconds for which an example stays with whom it was offered to; every further claim renews it.
LEASED = 180.0


class Leases:
    """The leases of one relabel session."""

    def __init__(self, database: Database, session: str) -> None:
        self.database = database
        self.session = session

    def claim(
        self, annotator: str, unanswered: Sequence[str], count: int, *, now: float | None = None
    ) -> list[str]:
        """Offer the next examples to an annotator.

        Args:
            annotator: Who asks.
            unanswered: Ids that nobody has answered yet, in the queue's order.
            count: How many the annotator wants to hold.
            now: Seconds since 1970, in tests.

        Returns:
            Ids in the queue's order: first those already with this annotator, then free ones. None that is
            with somebody else.
        """
        now = time.time() if now is None else now
        # Looking and taking under one write lock: two who ask at once get different examples.
        with self.database.write() as connection:
            connection.execute("DELETE FROM leases WHERE session = ? AND until <= ?", (self.session, now))
            held = dict(
                connection.execute(
                    "SELECT example_id, annotator FROM leases WHERE session = ?", (self.session,)
                ).fetchall()
            )
            own = [one for one in unanswered if held.get(one) == annotator][:count]
            free = [one for one in unanswered if one not in held][: count - len(own)]
            chosen = set(own) | set(free)
            connection.executemany(
                "INSERT INTO leases (session, example_id, annotator, until) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (session, example_id) DO UPDATE SET until = excluded.until",
                [(self.session, one, annotator, now + LEASED) for one in sorted(chosen)],
            )
        return [one for one in unanswered if one in chosen]

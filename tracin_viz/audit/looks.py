"""Looks at data and models that go on in the background, each once however often a page asks.

A page's script must not wait: every visitor has a thread of their own, but a minute of decoding images in
the app's process would slow all of them. So a look is a process, and a thread here that waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracin_viz.errors import CancelledError, JobError, TracinVizError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.jobs.looking import look

#: Finished looks that are kept; each is a document of some 100 kB.
_KEPT = 48
_log = logging.getLogger(__name__)


class Look:
    """One look, as it is now.

    Attributes:
        found: What it found, once it has.
        error: Why it found nothing.
    """

    def __init__(self, kind: str, request: Mapping[str, Any]) -> None:
        self._kind = kind
        self._request = dict(request)
        self._began = time.monotonic()
        self._stop = threading.Event()
        self.found: dict[str, Any] | None = None
        self.error: TracinVizError | None = None
        threading.Thread(target=self._run, name=f"look-{kind}", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether there is neither a find nor an error yet."""
        return self.found is None and self.error is None

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self._began

    def part(self) -> dict[str, Any] | TracinVizError | None:
        """The find, or the error, or ``None`` while it runs."""
        return self.found if self.found is not None else self.error

    def cancel(self) -> None:
        """End its process."""
        self._stop.set()

    def _run(self) -> None:
        try:
            self.found = look(self._kind, self._request, cancelled=self._stop)
        except TracinVizError as error:
            self.error = error
        except Exception:  # a thread's error would otherwise only be printed, and the page wait for ever
            _log.exception("a look failed")
            self.error = JobError("Looking failed unexpectedly.", remedy="The server's log has the details.")


class Looks:
    """All looks of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looks: OrderedDict[str, Look] = OrderedDict()

    @property
    def busy(self) -> bool:
        """Whether any look goes on."""
        with self._lock:
            return any(look.running for look in self._looks.values())

    def ask(self, kind: str, request: Mapping[str, Any], *, again: bool = False) -> Look:
        """The look for this request; begun now if there is none, or the files at its path changed.

        Args:
            kind: ``"data"``, ``"model"`` or ``"fit"``.
            request: What is asked, with ``path``.
            again: Begin anew whatever there is.
        """
        key = fingerprint([kind, dict(request), _stamp(request.get("path")), _stamp(request.get("data"))])
        with self._lock:
            known = self._looks.get(key)
            if known is not None and not again and not isinstance(known.error, CancelledError):
                self._looks.move_to_end(key)
                return known
            if known is not None:
                known.cancel()
            while len(self._looks) >= _KEPT:
                self._looks.popitem(last=False)[1].cancel()
            self._looks[key] = Look(kind, request)
            return self._looks[key]


def _stamp(path: object) -> list[int]:
    """Changes with a file, or with the names directly inside a folder."""
    if not isinstance(path, str):
        return []
    try:
        found = Path(path).stat()
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_size]

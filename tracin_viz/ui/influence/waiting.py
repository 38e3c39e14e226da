"""Answers that take a while: asked for in the background, so that a newer question takes over at once.

Streamlit ends a script that is superseded only when it draws something. A script that waited for the query
process would keep the reader's next click waiting as long, so it draws the time waited, again and again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tracin_viz.audit import Audit
from tracin_viz.config import Home
from tracin_viz.errors import CancelledError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui.results import state_key

#: Seconds between two looks; also how long a newer question may have to wait.
PAUSE = 0.15
KEPT = 200
ATTEMPTS = 3

Document = dict[str, Any]

_lock = threading.Lock()
_answers: OrderedDict[str, Future[Document]] = OrderedDict()
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="asking")


def answered(
    audit: Audit,
    question: tuple[str, dict[str, Any]],
    compute: Callable[[], Document],
    meanwhile: Callable[[float], object],
) -> Document:
    """``compute()``, once per content of the audit and question; treat the answer as read-only.

    Args:
        audit: The audit.
        question: A name and its arguments, plain values or bytes: what the answer is remembered under.
        compute: Asks; runs in another thread, so it must not use Streamlit.
        meanwhile: Told the seconds waited, several times a second; must draw something.

    Raises:
        TracinVizError: What ``compute`` raised.
    """
    key = _key(audit, question)
    for attempt in range(ATTEMPTS):
        future = _asked(key, compute)
        began = time.monotonic()
        while not _done(future, PAUSE):
            meanwhile(time.monotonic() - began)
        try:
            return future.result()
        except CancelledError:
            # Another visit asked the same and then something newer, which took its question back, not ours.
            if attempt == ATTEMPTS - 1:
                raise
    raise CancelledError("The question was taken back again and again.")


def is_ready(audit: Audit, question: tuple[str, dict[str, Any]]) -> bool:
    """Whether the answer is there already."""
    key = _key(audit, question)
    with _lock:
        future = _answers.get(key)
    return future is not None and future.done() and future.exception() is None


def _key(audit: Audit, question: tuple[str, dict[str, Any]]) -> str:
    name, arguments = question
    where = [str(Home.resolve().root), audit.name, state_key(audit)]
    return fingerprint([*where, name, named_bytes(arguments)])


def named_bytes(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same with a digest in the place of a picture's bytes: plain values, to name a question by."""
    return {
        name: hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else value
        for name, value in arguments.items()
    }


def _asked(key: str, compute: Callable[[], Document]) -> Future[Document]:
    with _lock:
        known = _answers.get(key)
        if known is not None and not (known.done() and known.exception() is not None):
            _answers.move_to_end(key)
            return known
        future = _threads.submit(compute)
        _answers[key] = future
        while len(_answers) > KEPT:
            _answers.popitem(last=False)
        return future


def _done(future: Future[Document], seconds: float) -> bool:
    try:
        future.exception(timeout=seconds)
    except TimeoutError:
        return False
    return True

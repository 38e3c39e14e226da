"""Passes: who may send decisions, signed, so that our own HTTP routes know it without Streamlit's session.

A pass is signed with a key of the workspace, so it holds on after the server was killed and started anew: an
outbox that waited must not need a reload. Where nobody signs in it only says that our own page gave it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass

#: Seconds that a pass holds; the page gives a fresh one whenever it runs, and when it is asked to.
HOLDS = 12 * 3600.0


@dataclass(frozen=True)
class Pass:
    """What a pass says.

    Attributes:
        annotator: Who is signed in; ``None`` where names are only asked for.
        until: Seconds since 1970.
    """

    annotator: str | None
    until: float


def issue(key: bytes, annotator: str | None, *, now: float | None = None) -> str:
    """A pass for a visitor who may decide."""
    until = (time.time() if now is None else now) + HOLDS
    # By the hour: a pass that changed with every run would be sent, and drawn, with every run.
    said = json.dumps([annotator, (until // 3600 + 1) * 3600]).encode()
    return f"{base64.urlsafe_b64encode(said).decode()}.{_signature(key, said)}"


def read(key: bytes, text: str, *, now: float | None = None) -> Pass | None:
    """What the pass says; ``None`` where it was not issued with this key, or holds no more."""
    said, _, signature = text.partition(".")
    try:
        body = base64.urlsafe_b64decode(said.encode("ascii"))
    except ValueError:
        return None
    if not hmac.compare_digest(_signature(key, body).encode(), signature.encode("utf-8", "replace")):
        return None
    annotator, until = json.loads(body)
    found = Pass(annotator, float(until))
    return found if found.until > (time.time() if now is None else now) else None


def _signature(key: bytes, body: bytes) -> str:
    return hmac.new(key, b"relabel pass " + body, hashlib.sha256).hexdigest()

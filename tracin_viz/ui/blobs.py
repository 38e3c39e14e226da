"""Bytes that a page shows and a browser fetches by HTTP: named by their content, so cacheable for good.

They are kept in memory only. A name that is gone (a restarted server, or many maps since) is a 404, upon
which the component asks its page to run again, and the page keeps the bytes anew.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

#: Together; the map of a million examples takes 10 MB with one colouring.
LARGEST_SUM = 128 << 20


class Blobs:
    """The bytes of this process, at most ``largest`` together; those not asked for longest go first."""

    def __init__(self, largest: int = LARGEST_SUM) -> None:
        self._largest = largest
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._sum = 0

    def keep(self, blob: Blob) -> None:
        """Hold ``blob``; does nothing but mark it as used when it is held already."""
        with self._lock:
            if blob.name in self._kept:
                self._kept.move_to_end(blob.name)
                return
            self._kept[blob.name] = blob.body
            self._sum += len(blob.body)
            while self._sum > self._largest and len(self._kept) > 1:
                self._sum -= len(self._kept.popitem(last=False)[1])

    def get(self, name: str) -> bytes | None:
        """The bytes of this name, if they are held."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)


class Blob:
    """Bytes and the name that follows from them.

    Attributes:
        body: The bytes.
        name: 32 hexadecimal digits.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.name = hashlib.blake2b(body, digest_size=16).hexdigest()


BLOBS = Blobs()

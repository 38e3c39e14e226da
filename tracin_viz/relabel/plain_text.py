"""Text from data sets and people, made storable: every output format here is UTF-8."""

from __future__ import annotations

import re
from typing import overload

_SURROGATE = re.compile("[\ud800-\udfff]")


@overload
def storable(text: str) -> str: ...
@overload
def storable(text: None) -> None: ...
def storable(text: str | None) -> str | None:
    """The text with half characters (lone surrogates) replaced by U+FFFD.

    JSON escapes and file names that are not UTF-8 can hold them; SQLite, Parquet and UTF-8 files cannot.
    """
    # Most text is plain, and an export asks 500,000 times.
    return text if text is None or text.isascii() else _SURROGATE.sub("\ufffd", text)

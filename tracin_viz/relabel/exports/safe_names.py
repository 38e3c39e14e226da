"""Names of files and folders that every system takes, made from names in data that may be anything."""

from __future__ import annotations

import hashlib
import re
import unicodedata

#: Bytes of one name; most systems allow 255.
LONGEST = 120
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]')
#: What every system takes as it is, seen at once: most names of pictures that begin with a number.
_PLAIN = re.compile(rf"[0-9](?:[0-9A-Za-z_.-]{{0,{LONGEST - 2}}}[0-9A-Za-z])?", re.ASCII)
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class SafeNames:
    """Names in one folder: different things have different ones, also where letter case does not count."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def __call__(self, text: str, of: str = "") -> str:
        """The name of a thing, always the same one: ``text`` itself wherever that is safe and free.

        Args:
            text: What it would like to be called.
            of: What tells it from other things that would like the same name.
        """
        if (text, of) not in self._given:
            self._given[text, of] = self._free(text, of)
        return self._given[text, of]

    def _free(self, text: str, of: str) -> str:
        if _PLAIN.fullmatch(text) and (key := text.lower()) not in self._taken:
            self._taken.add(key)
            return text
        name = plain_name(text)
        if name != text or _key(name) in self._taken:
            digest = hashlib.sha256(f"{text}\0{of}".encode("utf-8", "surrogatepass")).hexdigest()[:10]
            stem, dot, end = name.rpartition(".")
            name = f"{stem}-{digest}{dot}{end}" if stem else f"{name}-{digest}"
        self._taken.add(_key(name))
        return name


def plain_name(text: str) -> str:
    """``text`` as one part of a path: nothing in it means a place, a device, a flag or a hidden file."""
    short = text if len(text) <= 4 * LONGEST else text[: 3 * LONGEST] + text[-LONGEST:]
    name = _UNSAFE.sub("_", short).strip(" .").lstrip("-~")
    while len(name.encode()) > LONGEST:
        stem, _, end = name.rpartition(".")
        # The ending says what a file is, so the rest of the name gives way.
        name = f"{stem[:-1]}.{end}" if stem and len(end) < 10 else name[:-1]
    name = name.strip(" .")
    return f"_{name}" if not name or _RESERVED.fullmatch(name) else name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()

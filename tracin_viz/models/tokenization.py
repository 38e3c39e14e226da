"""From texts to token ids, with the tokenizer that lies in the run folder."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from tracin_viz.data.dataset import Content
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.fingerprint import fingerprint_file
from tracin_viz.models.json_files import read_json

#: Files that decide what a tokenizer does.
_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
#: Networks whose first position is not 0 but one past the padding token's number.
_SHIFTED = frozenset({"roberta", "camembert", "xlm-roberta", "xlm-roberta-xl", "longformer", "mpnet"})


class Tokenization:
    """A tokenizer from local files.

    Args:
        folder: Where they are.
        config: The network's ``config.json``.
        takes: Names of the arguments that the network takes.

    Raises:
        InputError: The files are missing, cannot be read, would need code to be run, or define no padding.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], *, takes: frozenset[str]) -> None:
        self._tokenizer = _load(folder)
        self._files = {name: folder / name for name in _FILES if (folder / name).is_file()}
        self._takes = takes
        self._lock = threading.Lock()
        self.longest = _longest(self._tokenizer.model_max_length, config)
        if self._tokenizer.pad_token is None:
            number = config.get("pad_token_id")
            token = None if number is None else self._tokenizer.convert_ids_to_tokens(number)
            if token is None:
                raise InputError(
                    f"The tokenizer in '{shown(folder.name)}' has no padding token.",
                    remedy="Name one as pad_token in tokenizer_config.json.",
                )
            self._tokenizer.pad_token = token

    def apply(self, contents: Sequence[Content]) -> dict[str, torch.Tensor]:
        """``input_ids``, ``attention_mask`` and, if the network takes them, ``token_type_ids``: ``(n, t)``.

        ``t`` is the length of the longest text in tokens, at most ``longest``.
        """
        texts = [content for content in contents if isinstance(content, str)]
        if len(texts) != len(contents):
            raise InputError("The model takes texts, but got an image.", remedy="Give text data.")
        with self._lock:  # a call sets padding and truncation inside the tokenizer, which threads share
            encoded = self._tokenizer(
                texts,
                padding=True,
                truncation=self.longest is not None,
                max_length=self.longest,
                return_tensors="pt",
            )
        return {name: tensor for name, tensor in encoded.items() if name in self._takes}

    def pieces(self, text: str) -> list[tuple[int, int]] | None:
        """First and past-the-last character of each token of ``text``, as ``apply`` makes them.

        A token that stands for no characters (the beginning, the end) has an empty range. ``None`` where the
        tokenizer does not say (the slow ones).
        """
        if not self._tokenizer.is_fast:
            return None
        with self._lock:
            encoded = self._tokenizer(
                text,
                truncation=self.longest is not None,
                max_length=self.longest,
                return_offsets_mapping=True,
            )
        return [(int(start), int(stop)) for start, stop in encoded["offset_mapping"]]

    def as_dict(self) -> dict[str, object]:
        """The content of its files and the longest text, for content keys."""
        files: dict[str, object] = {name: fingerprint_file(path) for name, path in self._files.items()}
        return {"files": files, "longest": self.longest}


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a tokenizer."""
    return any((folder / name).is_file() for name in _FILES)


def _load(folder: Path) -> Any:
    from transformers import AutoTokenizer

    settings = folder / "tokenizer_config.json"
    if settings.is_file() and "auto_map" in read_json(settings):
        raise InputError(
            f"The tokenizer in '{shown(folder.name)}' needs Python code of its own (auto_map); none is run.",
            remedy="Save it as a fast tokenizer (tokenizer.json) without auto_map.",
        )
    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # each kind of tokenizer raises its own on missing or damaged files
        raise InputError(
            f"The tokenizer in '{shown(folder.name)}' cannot be opened ({shown(error)}).",
            remedy="Save it there with tokenizer.save_pretrained(…); tokenizer.json is the file that counts.",
        ) from error


def _longest(declared: int, config: Mapping[str, Any]) -> int | None:
    """Tokens of a text at most: what the tokenizer says, and what the network has positions for."""
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and config.get("model_type") in _SHIFTED:
        positions -= int(config.get("pad_token_id") or 0) + 1
    limits = [limit for limit in (declared, positions) if isinstance(limit, int) and 0 < limit < 1_000_000]
    return min(limits, default=None)

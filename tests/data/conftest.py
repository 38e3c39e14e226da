from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Write = Callable[..., Path]


def picture(seed: int, *, side: int = 8) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.fixture
def images(tmp_path: Path) -> Write:
    """Writes pictures of different content under the given relative names."""

    def write(*names: str, root: str = "pets") -> Path:
        for seed, name in enumerate(names):
            target = tmp_path / root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            picture(seed).save(target)
        return tmp_path / root

    return write


@pytest.fixture
def zipped(tmp_path: Path) -> Write:
    """Packs a folder, or given names and bytes, into a zip archive."""

    def write(folder: Path | None = None, entries: dict[str, bytes] | None = None) -> Path:
        target = tmp_path / "packed.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")) if folder else []:
                archive.write(path, path.relative_to(folder).as_posix())
            for name, content in (entries or {}).items():
                archive.writestr(name, content)
        return target

    return write


@pytest.fixture
def table(tmp_path: Path) -> Write:
    """Writes a CSV file from text (as UTF-8) or bytes."""

    def write(content: str | bytes, name: str = "reviews.csv") -> Path:
        target = tmp_path / name
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    return write

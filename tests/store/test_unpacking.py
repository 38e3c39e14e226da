"""Archives of run folders: unpacked whole, once, inside their folder, or not at all."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch

from tracin_viz.errors import InputError, StoreError
from tracin_viz.store.unpacking import is_run_archive, unpacked
from tracin_viz.store.upload_limits import UploadLimits
from tracin_viz.store.uploads import UNUSED_AGE, Uploads

FILES = {
    "out/run/checkpoint-4/model.safetensors": bytes(range(256)) * 9000,
    "out/run/model_best.pth.tar": b"weights",
    "out/run/config.json": b"{}",
    "__MACOSX/out/._run": b"litter",
}


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", UploadLimits(keep_free=0))


def packed(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["run.zip", "run.tar", "run.tar.gz"])
def test_the_run_in_an_archive_is_unpacked_once(uploads: Uploads, tmp_path: Path, name: str):
    folder = unpacked(packed(tmp_path / name, FILES), uploads)
    assert folder.name == "run" and folder.is_relative_to(uploads.folder)
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == {key[8:]: value for key, value in FILES.items() if key.startswith("out/")}
    before = (folder / "config.json").stat().st_mtime_ns
    copy = tmp_path / f"copy-{name}"
    copy.write_bytes((tmp_path / name).read_bytes())
    assert unpacked(copy, uploads) == folder
    assert (folder / "config.json").stat().st_mtime_ns == before
    later = folder.stat().st_mtime + UNUSED_AGE + 9
    assert uploads.sweep([folder], now=later) == []  # an audit or a draft uses it
    assert len(uploads.sweep([], now=later)) == 1 and not folder.exists()


def test_what_a_run_archive_may_not_hold_leaves_nothing_behind(uploads: Uploads, tmp_path: Path):
    hostile = packed(tmp_path / "a.zip", {"run/config.json": b"{}", "../out.py": b"x"})
    with pytest.raises(InputError, match="leads out of its folder"):
        unpacked(hostile, uploads)
    damaged = packed(tmp_path / "b.zip", FILES)
    content = bytearray(damaged.read_bytes())
    content[2000] ^= 255
    damaged.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        unpacked(damaged, uploads)
    full = Uploads(uploads.folder, UploadLimits(keep_free=1 << 60))
    with pytest.raises(StoreError, match="free"):
        unpacked(packed(tmp_path / "c.zip", FILES), full)
    assert not [path for path in uploads.folder.rglob("*") if path.is_file()]
    assert not (tmp_path / "out.py").exists()


def test_a_checkpoint_that_is_called_tar_is_no_archive(uploads: Uploads, tmp_path: Path):
    path = tmp_path / "checkpoint.tar"
    torch.save({"weight": torch.ones(2)}, path)
    assert not is_run_archive(path) and unpacked(path, uploads) == path
    assert is_run_archive(packed(tmp_path / "run.tar", FILES))

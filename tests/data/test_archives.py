from __future__ import annotations

import copy
import stat
import struct
import zipfile

import numpy as np
import pytest

from tracin_viz.data import archives
from tracin_viz.data.dataset import open_dataset
from tracin_viz.data.zip_files import ZipFiles
from tracin_viz.errors import InputError


@pytest.mark.parametrize(
    "name",
    ["../out.png", "a/../../out.png", "/etc/x.png", "a\\..\\x.png", "C:/x.png", "a//x.png", "a/\n.png"],
)
def test_names_that_leave_the_folder_or_are_no_paths_are_refused(zipped, name):
    with pytest.raises(InputError, match="nothing of it was read"):
        ZipFiles(zipped(entries={"a/ok.png": b"x", name: b"x"}))


def test_links_are_refused(tmp_path):
    path = tmp_path / "links.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("train/cat/1.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(InputError, match="which is a link"):
        ZipFiles(path)


def test_an_entry_without_a_name_is_refused_in_words(tmp_path):
    path = tmp_path / "nameless.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", b"x")
        archive.filelist[0].filename = ""  # in the directory at the end, which is what readers go by
    with pytest.raises(InputError, match="nothing of it was read"):
        ZipFiles(path)


def test_encrypted_entries_are_refused(zipped):
    path = zipped(entries={"train/cat/1.png": b"x"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="encrypted"):
        ZipFiles(path)


@pytest.mark.parametrize("name", ["inner.zip", "train/x.tar.gz", "a.7Z"])
def test_an_archive_inside_the_archive_is_refused(zipped, name):
    with pytest.raises(InputError, match="an archive inside the archive"):
        ZipFiles(zipped(entries={name: b"x"}))


def test_a_file_that_grows_too_much_is_refused(zipped):
    path = zipped(entries={"train/cat/1.bmp": bytes(archives.RATIO_MATTERS + 1)})
    with pytest.raises(InputError, match="200-fold"):
        ZipFiles(path)


def test_entries_that_share_their_bytes_are_refused(tmp_path, monkeypatch):
    # Each entry looks harmless; together they are a bomb, since all of them unpack the same bytes.
    monkeypatch.setattr(archives, "RATIO_MATTERS", 1 << 20)
    path = tmp_path / "overlapping.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.bmp", bytes(100_000))
        for number in range(1, 400):
            entry = copy.copy(archive.filelist[0])
            entry.filename = f"{number}.bmp"
            archive.filelist.append(entry)
    with pytest.raises(InputError, match="grows more than 200-fold"):
        ZipFiles(path)


def test_too_many_files_and_too_much_in_total_are_refused(zipped, monkeypatch):
    path = zipped(entries={"a.png": b"xx", "b.png": b"xx"})
    monkeypatch.setattr(archives, "MAX_FILES", 1)
    with pytest.raises(InputError, match="holds 2 files"):
        ZipFiles(path)
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    monkeypatch.setattr(archives, "MAX_TOTAL", 3)
    with pytest.raises(InputError, match="once read"):
        ZipFiles(path)


def test_two_files_of_one_name_are_refused(tmp_path):
    path = tmp_path / "double.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", b"2")
    with pytest.raises(InputError, match="two files of the same name"):
        ZipFiles(path)


def test_a_declared_size_that_lies_cannot_fill_the_memory(zipped):
    path = zipped(entries={"a.png": b"A" * 100_000})
    content = path.read_bytes()
    lie = content.replace(struct.pack("<L", 100_000), struct.pack("<L", 10))
    path.write_bytes(lie)
    with pytest.raises(InputError, match=r"cannot be read"):
        ZipFiles(path).read("a.png", 1 << 20)


def test_a_file_over_the_limit_is_refused(zipped):
    files = ZipFiles(zipped(entries={"a.png": b"A" * 1000}))
    assert files.read("a.png", 1000) == b"A" * 1000
    with pytest.raises(InputError, match="more than"):
        files.read("a.png", 999)


def test_damage_inside_the_archive_is_found_by_its_checksum(tmp_path):
    path = tmp_path / "stored.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"ABCDEFGH" * 100)
    path.write_bytes(path.read_bytes().replace(b"ABCDEFGH", b"ABCDEFGX", 1))
    with pytest.raises(InputError, match=r"'a\.png' in 'stored\.zip' cannot be read"):
        ZipFiles(path).read("a.png", 1 << 20)


def test_what_file_managers_leave_is_not_part_of_the_data(zipped):
    files = ZipFiles(zipped(entries={"__MACOSX/._1.png": b"x", "a/.DS_Store": b"x", "a/1.png": b"x"}))
    assert files.names == ["a/1.png"]


def test_damaged_archives_give_data_or_an_input_error_and_write_nothing(images, zipped, tmp_path):
    folder = images("train/cat/1.png", "train/dog/2.png")
    path = zipped(folder)
    whole = path.read_bytes()
    listing = sorted(tmp_path.rglob("*"))
    generator = np.random.default_rng(1)
    outcomes = set()
    for round_ in range(300):
        content = bytearray(whole)
        for _ in range(int(generator.integers(1, 4))):
            content[int(generator.integers(len(content)))] = int(generator.integers(256))
        cut = len(content) if round_ % 4 else int(generator.integers(len(content)))
        path.write_bytes(bytes(content[:cut]))
        try:
            data = open_dataset(path)
            data.load("train", 0)
            outcomes.add("read")
        except InputError as error:
            assert "\n" not in str(error)
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
    assert sorted(tmp_path.rglob("*")) == listing

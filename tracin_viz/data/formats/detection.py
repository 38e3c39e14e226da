"""Which format a path has, and opening it."""

from __future__ import annotations

from pathlib import Path

from tracin_viz.data.archives import ARCHIVES, is_archive, open_archive
from tracin_viz.data.dataset import Dataset
from tracin_viz.data.encoding import TextFile
from tracin_viz.data.files import Files, FolderFiles, PathFiles, ending
from tracin_viz.data.formats.columns import TableSource
from tracin_viz.data.formats.delimited import Delimited
from tracin_viz.data.formats.image_folder import open_image_folder
from tracin_viz.data.formats.image_table import metadata_parts
from tracin_viz.data.formats.json_lines import JsonLines
from tracin_viz.data.formats.parquet import Parquet
from tracin_viz.data.formats.row_contents import Part
from tracin_viz.data.formats.saved import is_saved, saved_sources
from tracin_viz.data.formats.split_files import is_table, table_files
from tracin_viz.data.formats.tables import TableFiles, open_tables
from tracin_viz.data.images import SUFFIXES
from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

WHAT = (
    "Give an image folder (split/class/file or class/file), a .zip or .tar.gz of one, images with a "
    "metadata.csv, a table (.csv, .tsv, .jsonl, .parquet) with the columns text (or image), label and split, "
    "or a folder of datasets.save_to_disk."
)


def open_any(path: Path, *, mapping: DataMapping, verify: bool) -> Dataset:
    """Open the data set at ``path``, whatever its format (see ``open_dataset``)."""
    problems = ProblemList()
    if path.is_dir():
        return _folder(path, mapping, verify=verify, problems=problems)
    if is_archive(path):
        files = open_archive(path)
        packed = max((end for end in ARCHIVES if path.name.lower().endswith(end)), key=len)
        kind = f"image folder in a {packed} archive"
        return _images(files, path, mapping, verify=verify, kind=kind, problems=problems)
    if path.is_file() and is_table(path.name):
        source = open_source(path, path.name, problems)
        where = TableFiles(PathFiles(path.parent), verify)
        return open_tables([Part(source)], path, mapping=mapping, where=where, problems=problems)
    if path.suffix.lower() == ".arrow" and is_saved(path.parent):
        raise InputError(
            f"'{shown(path.name)}' is one file of a saved data set.", remedy="Give the folder it lies in."
        )
    raise InputError(f"'{shown(path.name)}' is not a kind of data that can be opened.", remedy=WHAT)


def open_source(path: Path, name: str, problems: ProblemList) -> TableSource:
    """The table at ``path`` by its ending; ``name`` is for messages."""
    if path.suffix.lower() in (".parquet", ".pq"):
        return Parquet(path, name)
    return open_text(TextFile.at(path, name), problems)


def open_text(file: TextFile, problems: ProblemList) -> TableSource:
    """A table of text, or one of Parquet that lies beside images, by its ending."""
    if file.name.lower().endswith((".parquet", ".pq")):
        return Parquet(file.open(), file.name)
    if file.name.lower().endswith((".jsonl", ".ndjson", ".json")):
        return JsonLines(file, problems)
    return Delimited(file, problems)


def _folder(path: Path, mapping: DataMapping, *, verify: bool, problems: ProblemList) -> Dataset:
    if is_saved(path):
        parts = [Part(source, split) for split, source in saved_sources(path)]
        return open_tables(parts, path, mapping=mapping, where=TableFiles(None, verify), problems=problems)
    files = FolderFiles(path, problems)
    if any(ending(name) in SUFFIXES for name in files.names):
        return _images(files, path, mapping, verify=verify, kind="image folder", problems=problems)
    if tables := table_files(files.names):
        opened = [Part(open_source(path / name, name, problems), split) for name, split in tables]
        where = TableFiles(files, verify)
        return open_tables(opened, path, mapping=mapping, where=where, problems=problems)
    if any(is_archive(Path(name)) for name in files.names):
        raise InputError(
            f"'{shown(path.name)}' holds no images or tables, but archives.",
            remedy=f"Give one of them ({', '.join(ARCHIVES)}) itself.",
            problems=problems.as_tuple(),
        )
    return _images(files, path, mapping, verify=verify, kind="image folder", problems=problems)


def _images(
    files: Files, path: Path, mapping: DataMapping, *, verify: bool, kind: str, problems: ProblemList
) -> Dataset:
    """Images with a table of them, or else by their folders."""
    parts = metadata_parts(files, open_text, problems)
    if not parts:
        return open_image_folder(files, path, mapping=mapping, verify=verify, kind=kind, problems=problems)
    where = TableFiles(files, verify, kind)
    return open_tables(parts, path, mapping=mapping, where=where, problems=problems)

"""Tables beside images: ``metadata.csv``, ``.jsonl`` or ``.parquet``, as imagefolder of Hugging Face has."""

from __future__ import annotations

from collections.abc import Callable

from tracin_viz.data.encoding import TextFile
from tracin_viz.data.files import Files, ending
from tracin_viz.data.formats.columns import TableSource
from tracin_viz.data.formats.inspection import inspect_columns
from tracin_viz.data.formats.row_contents import Part
from tracin_viz.data.problems import ProblemList
from tracin_viz.data.splits import known_split

METADATA = frozenset({"metadata.csv", "metadata.tsv", "metadata.jsonl", "metadata.parquet"})
#: Other tables count as one of images only where they lie beside the images and no class folder does.
_PLAIN = (".csv", ".tsv", ".jsonl")

#: Bytes of such a table, which is read as a whole since it may lie in an archive.
MAX_BYTES = 1 << 28

Open = Callable[[TextFile, ProblemList], TableSource]


def metadata_parts(files: Files, open_text: Open, problems: ProblemList) -> list[Part]:
    """The tables of the images in ``files``; none where folders alone say what they are.

    Args:
        files: A folder or archive with images.
        open_text: Opens a table by its name's ending.
        problems: Gets notes about encodings.
    """
    found = [name for name in files.names if name.rpartition("/")[2].lower() in METADATA]
    parts = [_part(files, name, open_text, problems) for name in found]
    if parts or not _has_no_classes(files):
        return parts
    depth = _depth(files)
    tops = [name for name in files.names if ending(name) in _PLAIN and name.count("/") <= depth]
    others = [_part(files, name, open_text, problems) for name in tops]
    return [part for part in others if _names_images(part.source)]


def _part(files: Files, name: str, open_text: Open, problems: ProblemList) -> Part:
    file = TextFile.of(files.read(name, MAX_BYTES), name)
    folder = name.rpartition("/")[0]
    splits = [split for word in folder.split("/") if (split := known_split(word))]
    return Part(open_text(file, problems), splits[0] if splits else "", folder=f"{folder}/" if folder else "")


def _names_images(source: TableSource) -> bool:
    columns = inspect_columns(source.head(), source.names, source.features)
    return any(column.kind == "image path" for column in columns)


def _has_no_classes(files: Files) -> bool:
    """Whether all images lie in one folder, which therefore names no class."""
    if not any(ending(name) in _PLAIN for name in files.names):
        return False
    folders = {name.rpartition("/")[0] for name in files.names if ending(name) not in _PLAIN}
    return len(folders - {known for known in folders if known_split(known.split("/")[-1])}) <= 1


def _depth(files: Files) -> int:
    """How deep the first table lies."""
    return min((name.count("/") for name in files.names if ending(name) in _PLAIN), default=0)

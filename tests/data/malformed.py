"""Malformed data sets, each with what the error (or else a problem) must say."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image

from tests.data.conftest import picture

Build = Callable[[Path], Path]


def png(seed: int = 0, *, mode: str = "RGB", side: int = 8, form: str = "PNG", **options: object) -> bytes:
    output = io.BytesIO()
    picture(seed, side=side).convert(mode).save(output, form, **options)
    return output.getvalue()


def files(**content: bytes | str) -> Build:
    """A folder with these files; ``__`` in a name stands for ``/`` and a last ``_`` for the dot."""

    def build(root: Path) -> Path:
        return folder(root / "set", content)

    return build


def folder(root: Path, content: dict[str, bytes | str]) -> Path:
    for name, value in content.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(value.encode() if isinstance(value, str) else value)
    return root


def one(name: str, value: bytes | str) -> Build:
    def build(root: Path) -> Path:
        return folder(root, {name: value}) / name

    return build


GOOD_IMAGES: dict[str, bytes | str] = {
    f"train/{kind}/{number}.png": png(number + 10 * (kind == "dog"))
    for kind in ("cat", "dog")
    for number in range(2)
}


def with_image(name: str, content: bytes) -> Build:
    return lambda root: folder(root / "set", {**GOOD_IMAGES, name: content})


def tar_with(*entries: tarfile.TarInfo, name: str = "set.tar", mode: str = "w") -> Build:
    def build(root: Path) -> Path:
        with tarfile.open(root / name, mode) as archive:
            for entry in entries:
                archive.addfile(entry, io.BytesIO(bytes(entry.size)))
        return root / name

    return build


def entry(name: str, *, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, size
    return made


def zip_with(**content: bytes) -> Build:
    def build(root: Path) -> Path:
        with zipfile.ZipFile(root / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, value in content.items():
                archive.writestr(name, value)
        return root / "set.zip"

    return build


def parquet(table: pd.DataFrame, *, cut: int = 0, flip: int = 0) -> Build:
    def build(root: Path) -> Path:
        path = root / "table.parquet"
        table.to_parquet(path)
        content = bytearray(path.read_bytes())
        if flip:
            content[-flip] ^= 0xFF
        path.write_bytes(bytes(content[: len(content) - cut]))
        return path

    return build


def saved(*, state: object = None, arrow: bytes | None = None, split: str | None = None) -> Build:
    """A folder like one of ``save_to_disk``, with a mistake."""

    def build(root: Path) -> Path:
        target = root / "set"
        content: dict[str, bytes | str] = {
            "state.json": json.dumps(state or {"_data_files": [{"filename": "data.arrow"}]}),
            "dataset_info.json": "{}",
        }
        if arrow is not None:
            content["data.arrow"] = arrow
        if split is not None:
            content["dataset_dict.json"] = json.dumps({"splits": [split]})
        return folder(target, content)

    return build


def arrow_stream(table: pa.Table, *, cut: int = 0) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content = sink.getvalue()
    return content[: len(content) - cut]


TEXTS = pd.DataFrame({"text": ["a b", "c d", "e f", "g h"], "label": ["x", "y", "x", "y"]})
CSV = TEXTS.to_csv(index=False)

#: What is refused as a whole, with what the one line of the message says.
REFUSED: dict[str, tuple[Build, str]] = {
    "nothing there": (lambda root: root / "gone", "There is no file or folder"),
    "unknown kind": (one("notes.docx", b"x"), "not a kind of data that can be opened"),
    "empty folder": (files(), "holds no images"),
    "empty csv": (one("t.csv", ""), "no column names"),
    "ragged to the end": (one("t.csv", "text,label\na\nb\n"), "no row with a text and a label"),
    "open quote": (one("t.csv", 'text,label\n"a,x\n'), "cannot be read from line 2 on"),
    "column twice": (one("t.csv", "text,label,label\na,b,c\n"), "the column label twice"),
    "binary csv": (one("t.csv", bytes(range(256))), "zero bytes"),
    "two encodings": (
        one("t.csv", "text,label\nä b,x\n".encode() + b"\xe4 c,y\n"),
        "not in UTF-8 (lines: 1, the first is line 3)",
    ),
    "cut utf-16": (one("t.csv", CSV.encode("utf-16")[:-1]), "says it is in UTF-16"),
    "no label": (one("t.csv", "text\na long text\nanother text\n"), "none that looks like one"),
    "only nan labels": (one("t.csv", "text,label\na b,nan\nc d,NaN\n"), "no row with a text and a label"),
    "one class": (one("t.csv", "text,label\na b,x\nc d,x\n"), "only one class, 'x'"),
    "no train split": (
        one("t.csv", "text,label,split\na b,x,test\nc d,y,test\n"),
        "no train split, only test",
    ),
    "too many classes": (
        one("t.csv", "text,label\n" + "".join(f"t {n},{n}x\n" for n in range(10_001))),
        "10,001 different values",
    ),
    "json that is none": (one("t.jsonl", "text,label\n"), "holds no JSON objects"),
    "broken json array": (one("t.json", '[{"text": "a"'), "no JSON that can be read"),
    "deep json": (one("t.json", "[" * 100_000), "no JSON that can be read"),
    "cut parquet": (parquet(TEXTS, cut=20), "is damaged or not what its name says"),
    "no parquet": (one("t.parquet", b"x" * 100), "is damaged or not what its name says"),
    "cut arrow": (saved(arrow=arrow_stream(pa.table(TEXTS), cut=60)), "is damaged or not what its name says"),
    "arrow elsewhere": (
        saved(state={"_data_files": [{"filename": "../../x.arrow"}]}),
        "no plain file of that",
    ),
    "arrow missing": (saved(), "lacks its data file 'data.arrow'"),
    "state without files": (saved(state={"_data_files": []}), "names no data files"),
    "split elsewhere": (saved(split="../../etc"), "no folder for its split"),
    "damaged zip": (one("set.zip", b"PK\x03\x04" + b"x" * 50), "not a zip archive that can be read"),
    "zip-slip": (zip_with(**{"../../out.png": b"x"}), "a name that leads out of its folder"),
    "zip in a zip": (zip_with(**{"train/cat/inner.zip": b"x"}), "an archive inside the archive"),
    "zip bomb": (zip_with(**{"train/cat/1.bmp": bytes((1 << 24) + 1)}), "200-fold"),
    "tar-slip": (tar_with(entry("../../out.png")), "a name that leads out of its folder"),
    "absolute tar": (tar_with(entry("/etc/out.png")), "a name that leads out of its folder"),
    "tar link": (tar_with(entry("a.png", kind=tarfile.SYMTYPE, target="/etc/passwd")), "which is a link"),
    "tar hard link": (
        tar_with(entry("a.png", kind=tarfile.LNKTYPE, target="/etc/passwd")),
        "which is a link",
    ),
    "tar device": (tar_with(entry("a.png", kind=tarfile.CHRTYPE)), "which is no plain file"),
    "tar in a tar": (tar_with(entry("train/cat/b.tar.gz")), "an archive inside the archive"),
    "tar of one name twice": (tar_with(entry("a.png"), entry("a.png")), "two files of the same name"),
    "tar.gz bomb": (
        tar_with(entry("train/cat/1.bmp", size=1 << 25), name="set.tar.gz", mode="w:gz"),
        "grows more than 200-fold",
    ),
    "tar.xz bomb": (
        tar_with(entry("train/cat/1.bmp", size=1 << 25), name="set.tar.xz", mode="w:xz"),
        "once unpacked",
    ),
    "cut tar.gz": (
        one("set.tar.gz", gzip.compress(np.random.default_rng(0).bytes(5000))[:-50]),
        "not a gzip archive that can be read (it ends too early)",
    ),
    "no tar inside": (
        one("set.tar.gz", gzip.compress(b"hello " * 1000)),
        "not a tar archive that can be read",
    ),
    "no bzip2": (one("set.tar.bz2", bz2.compress(b"x" * 5000)[:20]), "not a bzip2 archive"),
    "long tar header": (
        tar_with(entry("x", kind=tarfile.XHDTYPE, size=1 << 22)),
        "not a tar archive that can be read",
    ),
    "only broken images": (
        files(**{"cat/1.png": b"x", "dog/2.png": b"y"}),
        "None of the images in 'set' can be read",
    ),
    "images without classes": (files(**{"1.png": png(), "2.png": png(1)}), "lie in no class folders"),
    "archives in a folder": (files(**{"a.zip": b"x"}), "holds no images or tables, but archives"),
}

#: What is opened, with the kind, place and words of the problem that must be noted.
NOTED: dict[str, tuple[Build, str, str, str]] = {
    "truncated image": (
        with_image("train/cat/x.png", png()[:-40]),
        "unreadable image",
        "train/cat/x.png",
        "",
    ),
    "empty image": (
        with_image("train/cat/x.png", b""),
        "unreadable image",
        "train/cat/x.png",
        "no known image",
    ),
    "huge image": (
        with_image("train/cat/x.ppm", b"P6 20000 20000 255\n"),
        "unreadable image",
        "train/cat/x.ppm",
        "more than 67,108,864 pixels",
    ),
    "animated image": (
        with_image(
            "train/cat/x.gif",
            png(form="GIF", save_all=True, append_images=[Image.new("RGB", (8, 8))]),
        ),
        "animated image",
        "train/cat/x.gif",
        "the first one is used",
    ),
    "not an image": (with_image("train/cat/x.txt", b"x"), "not an image", "train/cat/x.txt", "left out"),
    "stray image": (with_image("train/x.png", png(77)), "misplaced file", "train/x.png", "no class folder"),
    "ragged row": (one("t.csv", CSV + "a,b,c\n"), "ragged row", "t.csv line 6", "3 fields, not 2"),
    "empty text": (one("t.csv", CSV + " ,x\n"), "empty text", "t.csv line 6", "left out"),
    "nan label": (
        one("t.csv", "text,label,split\na b,x,train\nc d,y,train\ne f,NaN,train\n"),
        "empty label",
        "t.csv line 4",
        "left out",
    ),
    "windows-1252": (one("t.csv", CSV.encode() + b"\xe4h,x\n"), "encoding", "t.csv line 6", "Windows-1252"),
    "similar classes": (one("t.csv", CSV + "i j,X\n"), "similar classes", "'X', 'x'", "differ by case"),
    "broken json line": (
        one("t.jsonl", TEXTS.to_json(orient="records", lines=True) + "{]\n"),
        "broken line",
        "t.jsonl line 5",
        "is no JSON",
    ),
    "file named twice": (
        lambda root: folder(
            root / "set",
            {
                "0.png": png(0),
                "1.png": png(1),
                "metadata.csv": "file_name,label\n0.png,x\n1.png,y\n0.png,y\n",
            },
        ),
        "duplicate file name",
        "metadata.csv line 4",
        "names the same image",
    ),
    "missing image": (
        lambda root: folder(
            root / "set",
            {
                "0.png": png(0),
                "1.png": png(1),
                "metadata.csv": "file_name,label\n0.png,x\n1.png,y\ngone.png,y\n",
            },
        ),
        "missing image",
        "metadata.csv line 4",
        "'gone.png' is not there",
    ),
    "image outside": (
        lambda root: (
            folder(root, {"out.png": png(5), "in/0.png": png(0), "in/1.png": png(1)})
            and folder(root, {"in/t.csv": "path,label\n0.png,x\n1.png,y\n../out.png,y\n"}) / "in" / "t.csv"
        ),
        "missing image",
        "t.csv line 4",
        "not inside the folder",
    ),
    "not a number": (
        one("t.csv", "age,height,price\n1,2.5,3.5\n2,x,4.5\n3,3.5,5.5\n" + "4,4.5,6.5\n" * 1000),
        "not a number",
        "t.csv line 3",
        "left out",
    ),
}

"""The same examples in every form of data, each written by the library that people write it with."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from PIL import Image

from tests.matrix.content import CLASSES, Example, examples

Writer = Callable[[Path], Path]


def _png(example: Example) -> bytes:
    output = io.BytesIO()
    Image.fromarray(example.picture).save(output, "PNG")
    return output.getvalue()


def _name(example: Example) -> str:
    return f"{example.label}/{example.number:03d}.png"


def _files() -> dict[str, bytes]:
    return {f"{example.split}/{_name(example)}": _png(example) for example in examples()}


def image_folder(folder: Path) -> Path:
    for name, content in _files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "shapes.zip", "w") as archive:
        for name, content in _files().items():
            archive.writestr(name, content)
    return folder / "shapes.zip"


def tarred(folder: Path) -> Path:
    with tarfile.open(folder / "shapes.tar.gz", "w:gz") as archive:
        for name, content in _files().items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return folder / "shapes.tar.gz"


def _with_metadata(folder: Path, form: str) -> Path:
    for split in ("train", "test"):
        chosen = [example for example in examples() if example.split == split]
        for example in chosen:
            path = folder / split / _name(example)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_png(example))
        table = pd.DataFrame({"file_name": [_name(e) for e in chosen], "label": [e.label for e in chosen]})
        if form == "csv":
            table.to_csv(folder / split / "metadata.csv", index=False)
        elif form == "parquet":
            table.to_parquet(folder / split / "metadata.parquet")
        else:
            table.to_json(folder / split / "metadata.jsonl", orient="records", lines=True)
    return folder


def metadata_csv(folder: Path) -> Path:
    return _with_metadata(folder, "csv")


def metadata_jsonl(folder: Path) -> Path:
    return _with_metadata(folder, "jsonl")


def metadata_parquet(folder: Path) -> Path:
    return _with_metadata(folder, "parquet")


def table_of_paths(folder: Path) -> Path:
    image_folder(folder / "pictures")
    rows = [(f"pictures/{e.split}/{_name(e)}", e.label, e.split) for e in examples()]
    pd.DataFrame(rows, columns=["path", "label", "split"]).to_csv(folder / "labels.csv", index=False)
    return folder / "labels.csv"


def table_of_bytes(folder: Path) -> Path:
    rows = [(_png(e), e.label, e.split) for e in examples()]
    pd.DataFrame(rows, columns=["image", "label", "split"]).to_parquet(folder / "shapes.parquet")
    return folder / "shapes.parquet"


def _hugging_face(split: str) -> object:
    import datasets

    chosen = [example for example in examples() if example.split == split]
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(CLASSES))}
    )
    columns = {
        "image": [{"bytes": _png(e), "path": None} for e in chosen],
        "label": [CLASSES.index(e.label) for e in chosen],
    }
    return datasets.Dataset.from_dict(columns, features=features)


def saved_data_set(folder: Path) -> Path:
    import datasets

    datasets.disable_progress_bars()
    both = datasets.DatasetDict({split: _hugging_face(split) for split in ("train", "test")})
    both.save_to_disk(folder / "saved")
    return folder / "saved"


def parquet_of_datasets(folder: Path) -> Path:
    import datasets

    datasets.disable_progress_bars()
    for split in ("train", "test"):
        _hugging_face(split).to_parquet(folder / f"{split}-00000-of-00001.parquet")  # type: ignore[attr-defined]
    return folder


def _texts() -> pd.DataFrame:
    rows = [(e.text, e.label, e.split) for e in examples()]
    return pd.DataFrame(rows, columns=["text", "label", "split"])


def _table(form: str, frame: Callable[[], pd.DataFrame]) -> Writer:
    def write(folder: Path) -> Path:
        path = folder / f"table.{form}"
        if form == "parquet":
            frame().to_parquet(path)
        elif form == "jsonl":
            frame().to_json(path, orient="records", lines=True)
        else:
            frame().to_csv(path, index=False, sep="\t" if form == "tsv" else ",")
        return path

    return write


def text_per_split(folder: Path) -> Path:
    frame = _texts()
    for split in ("train", "test"):
        frame[frame["split"] == split].drop(columns="split").to_csv(folder / f"{split}.csv", index=False)
    return folder


def saved_texts(folder: Path) -> Path:
    import datasets

    datasets.disable_progress_bars()
    frame = _texts()
    parts = {
        split: datasets.Dataset.from_pandas(
            frame[frame["split"] == split].drop(columns="split"), preserve_index=False
        )
        for split in ("train", "test")
    }
    datasets.DatasetDict(parts).save_to_disk(folder / "saved")
    return folder / "saved"


def _rows() -> pd.DataFrame:
    frame = pd.DataFrame([e.row for e in examples()], columns=["length", "width", "height"])
    return frame.assign(label=[e.label for e in examples()], split=[e.split for e in examples()])


def _prices() -> pd.DataFrame:
    frame = _rows().drop(columns="label")
    return frame.assign(price=(frame["length"] * 2.0 - frame["width"] + 0.25).round(3))


def _tags() -> pd.DataFrame:
    frame = _texts()
    several = frame["text"].str.contains("[02468]$")
    return frame.assign(label=frame["label"] + several.map({True: "|even", False: ""}))


IMAGES: dict[str, Writer] = {
    "image folder": image_folder,
    "zip": zipped,
    "tar.gz": tarred,
    "metadata.csv": metadata_csv,
    "metadata.jsonl": metadata_jsonl,
    "metadata.parquet": metadata_parquet,
    "csv of paths": table_of_paths,
    "parquet of bytes": table_of_bytes,
    "saved data set": saved_data_set,
    "parquet of datasets": parquet_of_datasets,
}
TEXTS: dict[str, Writer] = {
    **{form: _table(form, _texts) for form in ("csv", "tsv", "jsonl", "parquet")},
    "csv per split": text_per_split,
    "saved data set": saved_texts,
}
ROWS: dict[str, Writer] = {form: _table(form, _rows) for form in ("csv", "parquet")}
NUMBERS: dict[str, Writer] = {form: _table(form, _prices) for form in ("csv", "parquet")}
TAGS: dict[str, Writer] = {form: _table(form, _tags) for form in ("csv", "jsonl")}

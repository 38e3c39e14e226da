"""What was found in the data and the model, in a few lines of the validation report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import readable
from tracin_viz.ui import text
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.translation import said


def found_facts(report: Mapping[str, Any]) -> None:
    """Counts by split and class, sizes, duplicates, left-out files, and what the model is."""
    data, model = report["data"], report["model"]
    lines = [line for line in (_data(data), _copies(report), _model(report, model)) if line]
    if not lines:
        return
    with st.container(key="facts"):
        st.markdown("\n".join(f"- {line}" for line in lines))


def _data(data: Mapping[str, Any]) -> str:
    if not data.get("splits"):
        return ""
    size = f", {readable(data['size'])}" if data.get("size") else ""
    kind = text.plain(said(data["format"]), longest=200)
    found = f"{kind}{size}; {split_sizes(data['splits'])}{_classes(data)}"
    return tr("**Data:** {found}.", found=found)


def split_sizes(splits: Mapping[str, int], *, strong: bool = False) -> str:
    """How many examples are for training and in each other split, for Markdown."""
    found = []
    for name, number in text.train_first(dict(splits)):
        shown = f"**{number:,}**" if strong else f"{number:,}"
        if name == "train":
            found.append(tr("{number} for training", number=shown))
        else:
            found.append(tr("{number} in {split}", number=shown, split=text.plain(name)))
    return ", ".join(found)


def _classes(data: Mapping[str, Any]) -> str:
    counts = data.get("class_counts") or {}
    train: Mapping[str, int] = counts.get("train") or {}
    known = {name: number for name, number in train.items() if name}
    if not data.get("classes") or not known:
        return ""
    few, many = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    classes = trn("{n} class", "{n} classes", len(data["classes"]))
    if known[few] == known[many]:
        number = f"{known[few]:,}"
        return "; " + tr("{classes} with {number} training examples each", classes=classes, number=number)
    return "; " + tr(
        "{classes}, from {fewest} training examples ({rare}) to {most} ({frequent})",
        classes=classes,
        fewest=f"{known[few]:,}",
        rare=text.plain(few),
        most=f"{known[many]:,}",
        frequent=text.plain(many),
    )


def _copies(report: Mapping[str, Any]) -> str:
    groups = int(report.get("duplicate_groups") or 0)
    unread = sum(one["kind"] in ("unreadable image", "unreadable example") for one in report["problems"])
    if not report["data"].get("splits"):
        return ""
    equal = trn("{n} group of equal examples", "{n} groups of equal examples", groups)
    files = trn("{n} unreadable file", "{n} unreadable files", unread)
    return tr(
        "**Looked for:** {equal}, {files} found.",
        equal=equal if groups else tr("no equal examples"),
        files=files if unread else tr("no unreadable file"),
    )


def _model(report: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    if not model.get("architecture"):
        return ""
    return tr(
        "**Model:** {model} with {parameters} parameters, {checkpoints} of {format}.",
        model=text.plain(model["architecture"]),
        parameters=f"{model['parameters']:,}",
        checkpoints=trn("{n} checkpoint", "{n} checkpoints", len(report["checkpoints"])),
        format=text.plain(said(model["format"])),
    )

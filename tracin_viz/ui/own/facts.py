"""What was found in the data and the model, in a few lines of the validation report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import readable
from tracin_viz.ui import text


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
    sizes = ", ".join(
        f"{number:,} {'for training' if name == 'train' else 'in ' + text.plain(name)}"
        for name, number in text.train_first(data["splits"])
    )
    size = f", {readable(data['size'])}" if data.get("size") else ""
    return f"**Data:** {text.plain(data['format'], longest=200)}{size}; {sizes}{_classes(data)}."


def _classes(data: Mapping[str, Any]) -> str:
    counts = data.get("class_counts") or {}
    train: Mapping[str, int] = counts.get("train") or {}
    known = {name: number for name, number in train.items() if name}
    if not data.get("classes") or not known:
        return ""
    few, many = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    words = f"; {text.count(len(data['classes']), 'class', 'classes')}"
    if known[few] == known[many]:
        return f"{words} with {known[few]:,} training examples each"
    return (
        f"{words}, from {known[few]:,} training examples ({text.plain(few)}) "
        f"to {known[many]:,} ({text.plain(many)})"
    )


def _copies(report: Mapping[str, Any]) -> str:
    groups = int(report.get("duplicate_groups") or 0)
    unread = sum(one["kind"] in ("unreadable image", "unreadable example") for one in report["problems"])
    if not report["data"].get("splits"):
        return ""
    equal = f"{text.count(groups, 'group')} of equal examples" if groups else "no equal examples"
    files = text.count(unread, "unreadable file") if unread else "no unreadable file"
    return f"**Looked for:** {equal}, {files} found."


def _model(report: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    if not model.get("architecture"):
        return ""
    return (
        f"**Model:** {text.plain(model['architecture'])} with {model['parameters']:,} parameters, "
        f"{text.count(len(report['checkpoints']), 'checkpoint')} of {text.plain(model['format'])}."
    )

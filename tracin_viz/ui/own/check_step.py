"""Step 3: do data and model fit together, what is wrong where, and making the audit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import Draft, grouped, report_csv, report_html
from tracin_viz.errors import Problem
from tracin_viz.ui import text
from tracin_viz.ui.frame import go, guarded
from tracin_viz.ui.guard import problem_table
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.own.drafting import change, current_draft, forget
from tracin_viz.ui.own.facts import found_facts
from tracin_viz.ui.own.waiting import awaited
from tracin_viz.ui.session import choose_audit, workspace
from tracin_viz.ui.translation import said, said_place

_ICONS = {"error": ":material/error:", "serious": ":material/warning:", "note": ":material/info:"}


def check_step(draft: Draft) -> None:
    """Draw the step."""
    st.subheader(tr("Do data and model fit together?"), anchor=False)
    looks = [
        awaited(draft, "data", tr("Looking at the data")),
        awaited(draft, "model", tr("Looking at the model")),
    ]
    if None in looks:
        return
    fit = workspace().look_for(draft, "fit")
    if fit.running:
        awaited(draft, "fit", tr("Letting every checkpoint predict some examples"))
        return
    report = workspace().draft_report(draft)
    _verdict(report)
    _other_order(report)
    found_facts(report)
    _accuracy(report)
    _problems(report)
    _downloads(draft, report)
    _create(draft, report)


def _verdict(report: Mapping[str, Any]) -> None:
    worst = next((kind for kind in _ICONS if any(p["severity"] == kind for p in report["problems"])), "note")
    show = {"error": st.error, "serious": st.warning, "note": st.success}[worst]
    with st.container(key="verdict"):
        show(text.plain(said(report["verdict"]), longest=600))


def _other_order(report: Mapping[str, Any]) -> None:
    """Where another order of the class names explains the predictions far better: the way to take it."""
    order, names = report.get("order") or {}, list(map(str, report["data"].get("classes") or ()))
    if not order.get("wrong"):
        return
    # Without names of its own, or with others, the model's outputs were matched with the data's by place.
    own = list(map(str, report["model"].get("classes") or ()))
    present = own if sorted(own) == sorted(names) else names
    better = [present[place] for place in order["order"]]
    st.button(
        tr("Name the outputs in the better order"),
        key="take_order",
        icon=":material/swap_vert:",
        on_click=_take_order,
        args=(better,),
        help=", ".join(text.plain(name) for name in better[:12]),
    )


def _take_order(classes: list[str]) -> None:
    change(options={**current_draft().options, "classes": classes})


def _accuracy(report: Mapping[str, Any]) -> None:
    tried = [one for one in report["checkpoints"] if one["accuracy"] is not None]
    if not tried:
        return
    measure, loss, step = said(str(report["measure"])).capitalize(), tr("Loss"), tr("Step")
    st.markdown(
        trn(
            "**How well does each checkpoint fit?** Tried on {n} example.",
            "**How well does each checkpoint fit?** Tried on {n} examples.",
            report["examples_tried"],
        )
    )
    st.dataframe(
        [{step: one["step"], measure: one["accuracy"], loss: one["loss"]} for one in tried],
        hide_index=True,
        width="content",
        column_config={
            measure: st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            loss: st.column_config.NumberColumn(format="%.3f"),
        },
        key="accuracy",
    )


def _problems(report: Mapping[str, Any]) -> None:
    for kind, entries in grouped(report["problems"]).items():
        severity = entries[0]["severity"]
        title = f"{said(kind).capitalize()} ({len(entries)})"
        with st.expander(text.plain(title), icon=_ICONS[severity], expanded=severity != "note"):
            if len(entries) <= 3:
                for one in entries:
                    where, wrong = (
                        text.plain(said_place(one["where"])),
                        text.plain(said(one["message"]), longest=600),
                    )
                    st.markdown(
                        f"**{where}:** {wrong}  \n"
                        + tr("**What to do:** {remedy}", remedy=text.plain(said(one["remedy"]), longest=600))
                    )
                continue
            problem_table(
                Problem(p["kind"], where=p["where"], message=p["message"], remedy=p["remedy"])
                for p in entries
            )


def _downloads(draft: Draft, report: Mapping[str, Any]) -> None:
    files: dict[str, tuple[str, str, Callable[[], str]]] = {
        "HTML": ("html", "text/html", lambda: report_html(report)),
        "CSV": ("csv", "text/csv", lambda: report_csv(report)),
        "JSON": ("json", "application/json", lambda: json.dumps(report, ensure_ascii=False, indent=2)),
    }
    with st.container(horizontal=True, vertical_alignment="center", key="report_downloads"):
        st.caption(tr("Take the report along:"), width="content")
        for word, (ending, kind, make) in files.items():
            st.download_button(
                word,
                data=make(),
                file_name=f"validation-{_proposed(draft)}.{ending}",
                mime=kind,
                key=f"report_{ending}",
                icon=":material/download:",
                on_click="ignore",
            )


def _create(draft: Draft, report: Mapping[str, Any]) -> None:
    st.subheader(tr("What shall the audit be called?"), anchor=False)
    key = f"name_{draft.id}"
    st.session_state.setdefault(key, draft.name or _proposed(draft))
    with st.container(horizontal=True, vertical_alignment="bottom", key="naming"):
        st.text_input(
            tr("Name"),
            key=key,
            max_chars=64,
            label_visibility="collapsed",
            on_change=lambda: change(name=str(st.session_state[key]).strip()),
        )
        pressed = st.button(
            tr("Create the audit"),
            key="create",
            type="primary",
            icon=":material/check:",
            disabled=not report["usable"],
        )
    if pressed:
        _made(str(st.session_state[key]).strip())
    st.caption(tr("Your files stay where they are and are only read."))


@guarded
def _made(name: str) -> None:
    change(name=name)
    draft = current_draft()
    workspace().create_from(draft)
    forget(draft)
    choose_audit(name)
    go("compute", audit=name)


def _proposed(draft: Draft) -> str:
    """A name from that of the data, not taken yet."""
    stem = re.sub(
        r"[^A-Za-z0-9._-]+", "-", re.sub(r"(\.[A-Za-z]+)+$", "", draft.data.rstrip("/").rpartition("/")[2])
    )
    name = stem.strip("-._")[:50] or "my-audit"
    number, found = 2, name
    while workspace().has(found):
        number, found = number + 1, f"{name}-{number}"
    return found

"""Training examples that oppose many query examples: the aggregate view that TracIn's authors recommend."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.choices import number_of, one_of, ranking_choice
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.influence.waiting import answered
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.session import visit

AMONG: dict[str, str] = {"wrong": later("wrong predictions"), "all": later("all query examples")}
EACH = [5, 10, 20, 50]
SHOWN = 50


def show_opposing(audit: Audit) -> None:
    """Controls, how far the count is, and the examples with their counts."""
    st.caption(
        tr(
            "One opponent of one prediction may be chance. An example among the strongest opponents of many "
            "predictions pulls the model the wrong way again and again: look at its label first."
        )
    )
    among, each, ranking = _controls(audit)
    question: dict[str, Any] = {"among": among, "each": each, "ranking": ranking, "top": SHOWN}
    told = {"done": 0, "total": 0}
    session = f"{visit()} opposing"
    place = st.empty()

    def far(done: int, total: int) -> None:
        told.update(done=done, total=total)

    def waiting(seconds: float) -> None:
        share = told["done"] / told["total"] if told["total"] else 0.0
        done = tr("{done} of {total} predictions", done=f"{told['done']:,}", total=f"{told['total']:,}")
        place.progress(share, text=f"{tr('Counting opponents …')} {done} · {seconds:.0f} s")

    found = answered(
        audit,
        ("opposing", question),
        lambda: audit.opposing(session=session, progress=far, **question),
        waiting,
    )
    place.empty()
    _show(audit, found)


def _controls(audit: Audit) -> tuple[str, int, str]:
    choices = ["all"] if audit.target == "number" else list(AMONG)
    with st.container(horizontal=True, vertical_alignment="bottom", key="opposing_controls"):
        among = one_of(tr("Opponents of"), AMONG, "among", among=choices)
        each = number_of(tr("Opponents counted per prediction"), EACH, "each", 10)
        ranking = ranking_choice()
    st.caption(tr(text.RANKING_HELP[ranking]))
    return among, each, ranking


def _show(audit: Audit, found: dict[str, Any]) -> None:
    number = int(found["looked_at"])
    if not found["opponents"]:
        st.info(
            tr("No prediction to look at: none is wrong. Look at all query examples instead.")
            if found["among"] == "wrong" and not number
            else tr("No training example opposes any of these predictions.")
        )
        return
    looked = trn("{n} prediction", "{n} predictions", number)
    more = ""
    if found["of"] > number:
        more = " " + tr("Those with the largest loss, of {of}.", of=f"{found['of']:,}")
    st.caption(
        tr(
            "How many of {looked} have the example among their {each} strongest opponents. Scores estimated "
            "from gradient sketches; higher = opposes more predictions.",
            looked=looked,
            each=found["each"],
        )
        + more
    )
    gallery(
        [_card(audit, entry, number) for entry in found["opponents"]],
        key="opposing",
        label=tr("Training examples that oppose most predictions"),
        on_pick=lambda identity: open_details(audit, identity),
    )


def _card(audit: Audit, entry: dict[str, Any], number: int) -> Any:
    count = int(entry["count"])
    return example_card(
        audit,
        entry,
        sign="opponent",
        number=tr("{count} of {number}", count=f"{count:,}", number=f"{number:,}"),
        bar=-count / max(1, number),
    )

"""Your own data: from files to an audit in three steps; nothing is registered before the last click."""

from __future__ import annotations

import streamlit as st

from tracin_viz.ui.access import managing
from tracin_viz.ui.frame import guarded, heading
from tracin_viz.ui.language import tr
from tracin_viz.ui.own.check_step import check_step
from tracin_viz.ui.own.data_step import data_step
from tracin_viz.ui.own.drafting import STEPS, current_draft, forget, go_to, present_step
from tracin_viz.ui.own.model_step import model_step

_BODIES = {"data": data_step, "model": model_step, "check": check_step}


@guarded
def main() -> None:
    """Draw the present step."""
    managing()
    draft = current_draft()
    step = present_step(draft)
    key = "own_step"
    st.session_state[key] = step
    with st.container(horizontal=True, vertical_alignment="center", key="own_head"):
        st.segmented_control(
            tr("Step"),
            list(STEPS),
            format_func=lambda step: tr(STEPS[step]),
            key=key,
            required=True,
            label_visibility="collapsed",
            on_change=lambda: go_to(str(st.session_state[key])),
        )
        if draft.data or draft.model:
            st.button(tr("Start over"), key="own_over", type="tertiary", on_click=forget, args=(draft,))
    _BODIES[step](draft)


heading(tr("What are your data and your model?"))
main()

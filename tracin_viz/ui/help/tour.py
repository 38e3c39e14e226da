"""A tour of two minutes over the pages, offered at the first visit: six steps at the foot of the window."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from tracin_viz.ui.guard import guarded
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.navigation import PAGES, go, present_page
from tracin_viz.ui.session import workspace

_STEP = "tour_step"
_OFFERED = "tour_offered"
_DRAWN = "tour_drawn"
#: The demo that the words are about, where it is there.
DEMO = "digits"

#: Page and words. A page that this server does not have is passed over.
STEPS: tuple[tuple[str, str], ...] = (
    (
        "start",
        later(
            "**Welcome.** A model is what its training examples made of it. This tour takes two minutes and "
            "shows with a finished example how to find the training examples behind a prediction, and the "
            "wrong labels among them."
        ),
    ),
    (
        "influence",
        later(
            "**Why did the model say that?** Choose a prediction at the top. In blue: training examples that "
            "pushed the model towards it. In orange: those that pushed it away; wrong labels often show up "
            "here."
        ),
    ),
    (
        "suspects",
        later(
            "**Which labels look wrong?** Examples that the model could only memorise come first. In the "
            "demo some labels were changed on purpose: further down you see how many are found."
        ),
    ),
    (
        "clusters",
        later(
            "**What belongs together?** Points that lie together push the model the same way. Draw around "
            "some of them to see the examples, and send them to relabelling."
        ),
    ),
    (
        "relabel",
        later(
            "**Put it right.** One example at a time: keep the label, take the suggestion, or choose "
            "another. Every decision is stored at once, can be undone, and is exported with your data."
        ),
    ),
    (
        "report",
        later(
            "**Show it.** The report gathers what was found and what was decided in one file for "
            "colleagues. That is all; “Help” beside the heading explains each page and every word."
        ),
    ),
)


def steps() -> list[tuple[str, str]]:
    """The steps whose pages this server has."""
    return [step for step in STEPS if step[0] in PAGES]


def begin() -> None:
    """Begin the tour with the next run."""
    st.session_state[_STEP] = 0


def leave() -> None:
    """End the tour."""
    st.session_state.pop(_STEP, None)


def present_step() -> int | None:
    """Number of the present step, from 0; ``None`` outside a tour."""
    step = st.session_state.get(_STEP)
    return step if isinstance(step, int) and 0 <= step < len(steps()) else None


def offered() -> bool:
    """Whether a first visit would be offered the tour now: on a Start page without a view in its address."""
    if present_page() != "start" or present_step() is not None or st.session_state.get(_OFFERED):
        return False
    return not (set(st.query_params) - {"lang"}) and can_tour()


def begin_first() -> None:
    """Begin the tour at somebody's first visit; at most once per session, whatever the browser keeps."""
    if not st.session_state.get(_OFFERED):
        st.session_state[_OFFERED] = True
        begin()


def can_tour() -> bool:
    """Whether there is an audit with scores to show."""
    return next(_ready_audits(), None) is not None


@guarded
def draw_tour() -> None:
    """Draw the present step at the foot of the window."""
    step = present_step()
    if step is None:
        if st.session_state.pop(_DRAWN, False):
            # What a run does not draw again stays until its end, which may be a long answer away.
            st.bottom.empty()
        return
    st.session_state[_DRAWN] = True
    total = len(steps())
    with st.bottom, st.container(border=True, key="tour"):
        page, words = steps()[step]
        title = tr("{number} of {total}", number=step + 1, total=total)
        st.markdown(f"{title} · {tr(PAGES[page][1])} — {tr(words)}")
        with st.container(horizontal=True, key="tour_buttons"):
            last = step == total - 1
            onward = st.button(tr("Done") if last else tr("Next"), key="tour_next")
            back = step > 0 and st.button(tr("Back"), key="tour_back", type="tertiary")
            if not last:
                st.button(tr("End the tour"), key="tour_leave", type="tertiary", on_click=leave)
    if onward or back:
        _walk(step + 1 if onward else step - 1)


def _walk(step: int) -> None:
    if step >= len(steps()):
        leave()
        st.rerun()
    st.session_state[_STEP] = step
    page = steps()[step][0]
    if page == "start":
        go(page)
    go(page, audit=next(_ready_audits(), DEMO))


def _ready_audits() -> Iterator[str]:
    """Audits with scores, the demo first."""
    space = workspace()
    names = [summary.name for summary in space.summaries()]
    for name in sorted(names, key=lambda one: one != DEMO):
        if space.open(name).ready().scores:
            yield name

"""No queue is open: begin one from suspects, a cluster, a selection and more, or continue an earlier one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import TracinVizError
from tracin_viz.ui import text
from tracin_viz.ui.guard import show_error
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.relabel import queues
from tracin_viz.ui.relabel.identity import annotator, ask_name, call
from tracin_viz.ui.relabel.queues import MOST, Origin
from tracin_viz.ui.relabel.views import of_view
from tracin_viz.ui.results import grouping
from tracin_viz.ui.session import parameter, remember, remembered, set_parameter
from tracin_viz.ui.short import class_word

USUAL = 100
_SHOWN = 8
_ALL = ""

#: Where examples come from.
_KINDS: dict[str, str] = {
    "suspects": later("Suspects"),
    "selection": later("Selection"),
    "cluster": later("A cluster"),
    "view": later("A saved view"),
    "list": later("A list"),
    "random": later("A random control"),
    "review": later("Needs review"),
    "conflicts": later("Disagreements"),
}
_WAYS: dict[str, str] = {
    "each": later("Everybody decides every example, blind"),
    "shared": later("Each example goes to one person"),
}

Make = Callable[[str], Origin]


def begin(audit: Audit, item: str) -> None:
    """Begin a queue; with ``item`` only of that example."""
    with st.container(key="begin_box"):
        kind = "item" if item else _kind(audit)
        with st.form("begin"):
            if item:
                st.markdown(tr("**Decide about {item}**", item=text.plain(item)))
            who = ask_name()
            make = (lambda _: queues.by_hand(audit, item)) if item else _ASK[kind](audit)
            way = "each" if item or kind == "conflicts" else _way()
            pressed = st.form_submit_button(
                tr("Start"), key="start", type="primary", icon=":material/play_arrow:"
            )
        if pressed:
            _start(audit, who, make, way)
    if not item:
        _earlier(audit)


def _start(audit: Audit, who: str, make: Make, way: str) -> None:
    if not who:
        st.warning(tr("Please enter your name first."))
        return
    call(who)
    try:
        origin = make(who)
        continue_session(queues.freeze(audit, origin, annotator=who, mode=origin.mode or way))
    except TracinVizError as error:
        show_error(error, key="begin_error", leave=False)
        return
    st.rerun()


def continue_session(session: str) -> None:
    """Make this queue the present one; what the address said about a new one is used up."""
    remember("session", session)
    for used in ("by", "of", "top", "sel", "from"):
        set_parameter(used, "")


def _kind(audit: Audit) -> str:
    selected = remembered("sel")
    asked = parameter("from") or ("selection" if parameter("sel") else "suspects")
    kinds = [kind for kind in _KINDS if _there_are(audit, kind, selected)]
    asked = asked if asked in kinds else "suspects"
    chosen = st.segmented_control(
        tr("Which examples?"),
        kinds,
        default=asked,
        format_func=lambda kind: tr(_KINDS[kind]),
        key=f"kind_{asked}",
    )
    return str(chosen or asked)


def _there_are(audit: Audit, kind: str, selected: str) -> bool:
    if kind == "selection":
        return bool(selected)
    if kind == "cluster":
        return audit.ready().map
    if kind == "view":
        return bool(audit.views.newest_first())
    return kind != "conflicts" or bool(audit.conflicts())


def _suspects(audit: Audit) -> Make:
    by, of = parameter("by"), parameter("of")
    rankings = list(text.SUSPECT_RANKINGS)
    left, middle, right = st.columns(3)
    ranking = left.selectbox(
        tr("Suspects by"),
        rankings,
        index=rankings.index(by) if by in rankings else 0,
        format_func=lambda name: tr(text.SUSPECT_RANKINGS[name]),
    )
    choices = [_ALL, *audit.classes]
    label = middle.selectbox(
        tr("Labelled"),
        choices,
        index=choices.index(of) if of in choices else 0,
        format_func=lambda name: class_word(audit, name) or tr("all classes"),
    )
    number = right.number_input(tr("How many"), 1, MOST, number_of(parameter("top")))
    return lambda _: queues.by_suspicion(audit, str(ranking), str(label or ""), int(number))


def number_of(given: str) -> int:
    """How many examples the address asks for, within what one queue may hold."""
    return max(1, min(int(given), MOST)) if given.isascii() and given.isdigit() else USUAL


def _selection(audit: Audit) -> Make:
    name = remembered("sel")
    number = len(audit.selections.get(name))
    words = trn("**{n} selected example**", "**{n} selected examples**", number)
    more = tr("; the {most} most suspicious of them", most=f"{MOST:,}") if number > MOST else ""
    st.markdown(words + more)
    ranking = parameter("by")
    return lambda _: queues.of_selection(audit, name, ranking)


def _cluster(audit: Audit) -> Make:
    found = {one.id: one for one in grouping(audit, None, None).summaries}
    chosen = st.selectbox(
        tr("Cluster"), list(found), format_func=lambda one: f"{found[one].name} · {found[one].size:,}"
    )
    return lambda _: queues.of_cluster(audit, -1 if chosen is None else int(chosen))


def _view(audit: Audit) -> Make:
    name = st.selectbox(tr("View"), [view.name for view in audit.views.newest_first()])
    return lambda _: of_view(audit, str(name))


def _list(audit: Audit) -> Make:
    typed = st.text_area(
        tr("Examples"),
        placeholder="train:17, train:204",
        help=tr("Ids as in every table and export, between blanks, commas or lines; their order is kept."),
        max_chars=queues.LONGEST_LIST,
    )
    return lambda _: queues.of_list(audit, typed or "")


def _random(audit: Audit) -> Make:
    number = st.number_input(tr("How many"), 1, MOST, min(USUAL, audit.splits["train"]))
    st.caption(
        tr("Drawn from all training examples: how many labels are wrong where nothing looks suspicious?")
    )
    return lambda _: queues.by_chance(audit, int(number))


def _review(audit: Audit) -> Make:
    st.caption(tr("Examples that somebody marked for another look."))
    return lambda _: queues.to_review(audit)


def _conflicts(audit: Audit) -> Make:
    st.caption(
        tr("What others decided differently. Each needs a third person, who sees all votes and settles it.")
    )
    return lambda who: queues.of_conflicts(audit, who)


_ASK: dict[str, Callable[[Audit], Make]] = {
    "suspects": _suspects,
    "selection": _selection,
    "cluster": _cluster,
    "view": _view,
    "list": _list,
    "random": _random,
    "review": _review,
    "conflicts": _conflicts,
}


def _way() -> str:
    return str(
        st.radio(
            tr("If several people work on it"),
            list(_WAYS),
            format_func=lambda way: tr(_WAYS[way]),
            horizontal=True,
            key="way",
        )
    )


def _earlier(audit: Audit) -> None:
    found = audit.sessions.newest_first(_SHOWN)
    if not found:
        return
    st.subheader(tr("Continue an earlier session"), anchor=False)
    who = annotator()
    for session in found:
        done = len(audit.events.answered(None if session.mode != "each" else who, session.id))
        st.button(
            tr(
                "{name} · {annotator} · {when} · {done} of {total}",
                name=text.plain(session.name),
                annotator=text.plain(session.annotator),
                when=text.date(session.created, hours=True),
                done=f"{done:,}",
                total=f"{len(session.queue):,}",
            ),
            key=f"continue_{session.id}",
            on_click=continue_session,
            args=(session.id,),
            type="tertiary",
            icon=":material/resume:",
        )

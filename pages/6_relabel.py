"""Relabel: suspects one by one; every decision is stored at once and can be undone."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, QueueEntry
from tracin_viz.errors import NotFoundError
from tracin_viz.ui import text, theme
from tracin_viz.ui.access import may_decide
from tracin_viz.ui.cards import decision_words, example_card, percentile
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.decisions import show_decisions
from tracin_viz.ui.frame import audit_page, guarded
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.queue import Queue, click_id, decide, freeze, load, next_place, undo
from tracin_viz.ui.results import examples, suspect_row
from tracin_viz.ui.session import parameter, remember, remembered, set_parameter

ALL = "all classes"
MOST = 1_000
USUAL = 100
FEW_CLASSES = 20


def _begin(audit: Audit, item: str) -> None:
    """No session chosen: continue one, or freeze a new queue."""
    with st.container(key="begin_box"), st.form("begin"):
        if item:
            st.markdown(f"**Decide about {text.plain(item)}**")
        who = st.text_input(
            "Your name",
            key="annotator",
            persist_state="session",
            max_chars=200,
            help="Stored with every decision, so that others see who made it.",
        )
        by, of, top = parameter("by"), parameter("of"), _number(parameter("top"))
        selection = parameter("sel")
        if selection and not item:
            number = len(audit.selections.get(selection))
            most = f"; the {MOST:,} most suspicious of them" if number > MOST else ""
            st.markdown(f"**Decide about {text.count(number, 'selected example')}{most}**")
        elif not item:
            rankings = list(text.SUSPECT_RANKINGS)
            left, middle, right = st.columns(3)
            by = left.selectbox(
                "Suspects by",
                rankings,
                index=rankings.index(by) if by in rankings else 0,
                format_func=lambda name: tr(text.SUSPECT_RANKINGS[name]),
            )
            choices = [ALL, *audit.classes]
            of = middle.selectbox("Labelled", choices, index=choices.index(of) if of in choices else 0)
            top = int(right.number_input("How many", 1, MOST, top))
        if st.form_submit_button("Start", key="start", type="primary", icon=":material/play_arrow:"):
            if not (who or "").strip():
                st.warning("Please enter your name first.")
            else:
                if selection and not item:
                    rows, source = _selected(audit, selection)
                else:
                    rows, source = _rows(audit, item, str(by), "" if of == ALL else str(of), top)
                _continue(freeze(audit, rows, source=source, annotator=who.strip()))
                st.rerun()
    earlier = audit.sessions.newest_first()
    if earlier and not item and not selection:
        st.subheader("Continue an earlier session", anchor=False)
        for session in earlier[:8]:
            when = time.strftime("%d %b %H:%M", time.localtime(session.created))
            st.button(
                f"{text.plain(session.name)} · {text.plain(session.annotator)} · {when}",
                key=f"continue_{session.id}",
                on_click=_continue,
                args=(session.id,),
                type="tertiary",
                icon=":material/resume:",
            )


def _continue(session: str) -> None:
    """Make this queue the present one; what the address said about a new one is used up."""
    remember("session", session)
    for used in ("by", "of", "top", "sel"):
        set_parameter(used, "")


def _number(given: str) -> int:
    """How many suspects the address asks for, within what one queue may hold."""
    return max(1, min(int(given), MOST)) if given.isascii() and given.isdigit() else USUAL


def _rows(audit: Audit, item: str, by: str, of: str, top: int) -> tuple[list[dict[str, Any]], str]:
    """Rows of a new queue, and where they come from in words."""
    if item:
        return [suspect_row(audit, item)], f"{item} chosen by hand"
    found = audit.suspects(ranking=by, class_name=of or None, top=top)["suspects"]
    where = f" labelled {of}" if of else ""
    return found, f"top {len(found)} by {text.SUSPECT_RANKINGS[by].lower()}{where}"


def _selected(audit: Audit, name: str) -> tuple[list[dict[str, Any]], str]:
    """Rows of a queue of selected examples, the most suspicious first, and where they come from in words."""
    rows = audit.suspects(top=MOST, among=audit.selections.get(name))["suspects"]
    return rows, f"{text.count(len(rows), 'example')} selected on the map"


def _card(audit: Audit, queue: Queue, place: int, already: int) -> None:
    entry: QueueEntry = queue.entries[place]
    row = examples(audit, "train").iloc[int(entry.example_id.rpartition(":")[2])].to_dict()
    suggested = entry.suggested or ""
    sure = f"{entry.confidence:.0%} sure of {suggested}" if suggested and entry.confidence is not None else ""
    decided = audit.decisions().get(entry.example_id)
    card = example_card(
        audit,
        row,
        size=384,
        other=suggested,
        other_kind="suggested",
        differs=bool(suggested),
        sign="suspect",
        number="" if entry.percentile is None else f"{percentile(entry.percentile)} of the training set",
        why=sure,
        done=decision_words(decided.action, decided.label) if decided else "",
    )
    left, right = st.columns([2, 3], gap="medium")
    with left:
        gallery([card], key="card", label=f"Example {place + 1} of {len(queue.entries)}", layout="large")
    with right, st.container(key="choices"):
        reasons = suspect_row(audit, entry.example_id).get("reasons", ())
        st.markdown("\n".join(f"- {text.plain(reason)}" for reason in reasons))
        _buttons(audit, queue, place, str(row["label"]), click_id(entry.example_id, already=already))


def _buttons(audit: Audit, queue: Queue, place: int, given: str, click: str) -> None:
    entry: QueueEntry = queue.entries[place]

    def choice(words: str, key: str, action: str, label: str | None = None, **look: Any) -> None:
        # The example, the click's identity and all else are bound now, when the card is drawn.
        decision = {
            "example_id": entry.example_id,
            "action": action,
            "annotator": queue.annotator,
            "new_label": label,
            "suggested": entry.suggested,
            "rank": entry.rank,
            "percentile": entry.percentile,
            "session": queue.id,
        }
        st.button(
            words, key=f"{key}_{click}", on_click=guarded(decide), args=(audit.name, click, decision), **look
        )

    with st.container(horizontal=True, key="main_choices"):
        if entry.suggested and audit.target == "class":
            choice(
                f"Take suggestion: {text.plain(entry.suggested)}",
                "take",
                "relabel",
                entry.suggested,
                type="primary",
                icon=":material/check:",
            )
        choice(f"Keep {text.plain(given)}", "keep", "keep")
        choice("Exclude", "exclude", "exclude", help="Leave this example out of training. The file stays.")
        choice("Needs review", "needs", "review", help="Somebody else should look at it.")
        choice("Skip", "skip", "skip")
    if audit.target != "class":
        st.caption(
            "New labels can be given where a label is one class: here, keep, exclude or mark for review."
        )
        return
    st.caption("Or another class:")
    others = [name for name in audit.classes if name not in (given, entry.suggested)]
    if len(others) <= FEW_CLASSES:
        with st.container(horizontal=True, key="class_choices"):
            for name in others:
                choice(text.plain(name), f"class_{audit.classes.index(name)}", "relabel", name)
    else:
        with st.container(horizontal=True, vertical_alignment="bottom", key="class_choices"):
            picked = st.selectbox("Class", others, index=None, key=f"pick_{click}", width=280)
            if picked:
                choice(f"Change to {text.plain(picked)}", "class_picked", "relabel", picked)


def _bar(audit: Audit, queue: Queue, already: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="relabel_bar"):
        st.button(
            "Undo",
            key="undo",
            icon=":material/undo:",
            disabled=not queue.answered,
            on_click=guarded(undo),
            args=(audit.name, f"undo-{queue.id}-{already}", queue.annotator, queue.id),
        )
        st.button("Another queue", key="leave", icon=":material/logout:", on_click=_leave)
        st.caption(f"Annotator: {text.plain(queue.annotator)} · {text.plain(queue.source)}")
    total = len(queue.entries)
    answered = len(queue.answered)
    st.progress(min(1.0, answered / total), text=f"{answered:,} of {total:,} answered")


def _leave() -> None:
    remember("session", "")
    remember("item", "")


def _wanted(audit: Audit) -> str:
    """The example that the address asks to decide about; empty = the next one of the queue.

    Raises:
        NotFoundError: It is not a training example of this audit.
    """
    item = parameter("item")
    if item and item not in set(examples(audit, "train")["id"]):
        raise NotFoundError(
            f"Audit '{audit.name}' has no training example '{item}'.",
            remedy=f"Training examples are called train:0 to train:{audit.splits['train'] - 1}.",
        )
    return item


def _present(audit: Audit, item: str) -> Queue | None:
    """The queue that the address names, else the last one of this visit; ``None`` = one must be begun."""
    # An address with a ranking or a selection comes from a button "Review" and wants a new queue.
    fresh = parameter("by") or parameter("sel")
    chosen = parameter("session") or ("" if fresh else remembered("session"))
    if not chosen:
        return None
    try:
        queue = load(audit, chosen)
    except NotFoundError:
        st.info("The relabel session in the address does not belong to this audit. Start or continue one.")
        return None
    remember("session", chosen)
    if item and item not in {entry.example_id for entry in queue.entries}:
        rows, source = _rows(audit, item, "", "", 1)
        made = freeze(audit, rows, source=source, annotator=queue.annotator)
        remember("session", made)
        return load(audit, made)
    return queue


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    if not may_decide():
        show_decisions(audit)
        return
    item = _wanted(audit)
    queue = _present(audit, item)
    if queue is None:
        _begin(audit, item)
    else:
        already = len(audit.history())
        place = next_place([entry.example_id for entry in queue.entries], queue.answered, item)
        _bar(audit, queue, already)
        if place is None:
            done = theme.SIGNS["decided"]
            st.success(f"{done} This queue is finished. Download the result, or start another queue.")
        else:
            _card(audit, queue, place, already)
    show_decisions(audit)


audit_page(later("Is this label right?"), main)

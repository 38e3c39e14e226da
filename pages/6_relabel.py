"""Relabel: suspects one by one; every decision is stored at once and can be undone."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, QueueEntry, Session
from tracin_viz.ui import text, theme
from tracin_viz.ui.cards import decision_words, example_card, percentile
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.frame import audit_page, guarded
from tracin_viz.ui.queue import click_id, decide, described, next_place, undo
from tracin_viz.ui.session import document, examples, parameter, remember, remembered

ALL = "all classes"
MOST = 1_000
FEW_CLASSES = 20


def _begin(audit: Audit) -> None:
    """No session chosen: continue one, or freeze a new queue."""
    item = parameter("item")
    with st.container(border=True, key="begin"):
        if item:
            st.markdown(f"**Decide about {text.plain(item)}**")
        who = st.text_input(
            "Your name",
            key="annotator",
            persist_state="session",
            max_chars=200,
            help="Stored with every decision, so that others see who made it.",
        )
        by, of, top = parameter("by"), parameter("of"), parameter("top")
        if not item:
            rankings = list(text.SUSPECT_RANKINGS)
            left, middle, right = st.columns(3)
            by = left.selectbox(
                "Suspects by",
                rankings,
                index=rankings.index(by) if by in rankings else 0,
                format_func=text.SUSPECT_RANKINGS.__getitem__,
            )
            choices = [ALL, *audit.classes]
            of = middle.selectbox("Labelled", choices, index=choices.index(of) if of in choices else 0)
            number = int(top) if top.isascii() and top.isdigit() else 100
            top = right.number_input("How many", 1, MOST, max(1, min(number, MOST)))
        if st.button("Start", key="start", type="primary", icon=":material/play_arrow:"):
            if not (who or "").strip():
                st.warning("Please enter your name first.")
            else:
                entries, source = _queue(audit, item, str(by), "" if of == ALL else str(of), int(top or 1))
                made = audit.sessions().create(entries, name=source, source=source, annotator=who.strip())
                remember("session", made.id)
                st.rerun()
    earlier = audit.sessions().newest_first()
    if earlier and not item:
        st.subheader("Continue an earlier session", anchor=False)
        for session in earlier[:8]:
            when = time.strftime("%d %b %H:%M", time.localtime(session.created))
            st.button(
                f"{text.plain(session.name)} · {text.plain(session.annotator)} · {when}",
                key=f"continue_{session.id}",
                on_click=remember,
                args=("session", session.id),
                type="tertiary",
                icon=":material/resume:",
            )


def _queue(audit: Audit, item: str, by: str, of: str, top: int) -> tuple[list[QueueEntry], str]:
    if item:
        row = _suspects(audit).get(item)
        return [_entry(item, 0, row)], f"{item} by hand"
    found = audit.suspects(ranking=by, class_name=of or None, top=top)["suspects"]
    source = described(text.SUSPECT_RANKINGS[by].lower(), of, len(found))
    return [_entry(row["id"], place, row) for place, row in enumerate(found)], source


def _entry(identity: str, place: int, row: dict[str, Any] | None) -> QueueEntry:
    if row is None:
        return QueueEntry(identity)
    return QueueEntry(identity, place + 1, row["percentile"], row["suggested"] or None, row["confidence"])


def _suspects(audit: Audit) -> dict[str, dict[str, Any]]:
    """Every training example's suspect row by id, for reasons."""
    found = document(
        audit, "all suspects", compute=lambda: audit.suspects(top=audit.splits["train"])["suspects"]
    )
    return {row["id"]: row for row in found}


def _card(audit: Audit, session: Session, place: int, already: int) -> None:
    entry = session.queue[place]
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
        gallery([card], key="card", label=f"Example {place + 1} of {len(session.queue)}", layout="large")
    with right, st.container(key="choices"):
        for reason in (_suspects(audit).get(entry.example_id) or {}).get("reasons", ()):
            st.markdown(f"- {text.plain(reason)}")
        _buttons(audit, session, place, str(row["label"]), click_id(entry.example_id, already=already))


def _buttons(audit: Audit, session: Session, place: int, given: str, click: str) -> None:
    entry = session.queue[place]

    def choice(words: str, key: str, action: str, label: str | None = None, **look: Any) -> None:
        # The example, the click's identity and all else are bound now, when the card is drawn.
        decision = {
            "example_id": entry.example_id,
            "action": action,
            "annotator": session.annotator,
            "new_label": label,
            "suggested": entry.suggested,
            "rank": entry.rank,
            "percentile": entry.percentile,
            "session": session.id,
        }
        st.button(
            words, key=f"{key}_{click}", on_click=guarded(decide), args=(audit.name, click, decision), **look
        )

    with st.container(horizontal=True, key="main_choices"):
        if entry.suggested:
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


def _bar(audit: Audit, session: Session, answered: int, already: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="relabel_bar"):
        st.button(
            "Undo",
            key="undo",
            icon=":material/undo:",
            disabled=not answered,
            on_click=guarded(undo),
            args=(audit.name, f"undo-{session.id}-{already}", session.annotator, session.id),
        )
        st.button("Another queue", key="leave", icon=":material/logout:", on_click=_leave)
        st.caption(f"Annotator: {text.plain(session.annotator)} · {text.plain(session.source)}")
    total = len(session.queue)
    st.progress(answered / total, text=f"{answered:,} of {total:,} answered")


def _leave() -> None:
    remember("session", "")
    remember("item", "")


def _decisions(audit: Audit) -> None:
    decisions = audit.decisions()
    st.subheader("What was decided so far?", anchor=False)
    if not decisions:
        st.caption("Nothing yet. Every decision appears here at once and stays after a reload or restart.")
        return
    changed = sum(now.action in ("relabel", "exclude") for now in decisions.values())
    with st.container(horizontal=True, vertical_alignment="center", key="saved"):
        st.markdown(f":green[**{text.SAVED} {len(decisions):,}**] · {changed:,} changed")
        st.download_button(
            "Download CSV",
            data=audit.export_csv,
            file_name=f"{audit.name}-labels.csv",
            mime="text/csv",
            key="download",
            icon=":material/download:",
            on_click="ignore",
            help="All training examples with the given and the new label.",
        )
    st.dataframe(
        [
            {
                "Example": now.example_id,
                "Given": now.event.old_label,
                "Decision": decision_words(now.action, now.label),
                "New label": now.label,
                "By": now.event.annotator,
                "When": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now.event.server_ts)),
            }
            for now in reversed(list(decisions.values()))
        ],
        hide_index=True,
        width="stretch",
        key="decisions",
    )


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    chosen = remembered("session")
    known = {session.id for session in audit.sessions().newest_first()} if chosen else set()
    if chosen and chosen in known:
        session = audit.sessions().get(chosen)
        already = len(audit.history())
        answered = audit.events().answered(session.annotator, session.id)
        place = next_place([entry.example_id for entry in session.queue], answered, parameter("item"))
        _bar(audit, session, len(answered), already)
        if place is None:
            st.success(
                f"{theme.SIGNS['decided']} This queue is finished. Download the result, or start another one."
            )
        else:
            _card(audit, session, place, already)
    else:
        if chosen:
            st.info("That relabel session does not belong to this audit. Choose another or start one.")
        _begin(audit)
    _decisions(audit)


audit_page("Is this label right?", main)

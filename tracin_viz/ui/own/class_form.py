"""What the values of the label column are called as classes: other names, one name for two, or no label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas
import streamlit as st

from tracin_viz.audit import Draft
from tracin_viz.data.mapping import UNLABELLED
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.own.drafting import change

#: Classes that can be named on the page; more are named in the files.
MOST = 1000


def class_form(draft: Draft, found: Mapping[str, Any]) -> None:
    """The form.

    Args:
        draft: Whose data are read.
        found: The preview.
    """
    values = _values(draft, found)
    if found["target"] == "number" or not values or len(values) > MOST:
        return
    given: Mapping[str, str] = draft.mapping.get("class_names") or {}
    none = set(draft.mapping.get("unlabelled") or ()) - set(UNLABELLED)
    rows = [{"value": value, "name": given.get(value, value), "none": value in none} for value in values]
    title = trn(
        "What are the classes called? ({n} class)",
        "What are the classes called? ({n} classes)",
        len(found["classes"]),
    )
    with (
        st.expander(title, icon=":material/label:", expanded=bool(given or none)),
        st.form("classes", border=False),
    ):
        edited = st.data_editor(
            pandas.DataFrame(rows),
            hide_index=True,
            width="stretch",
            disabled=["value"],
            column_config={"value": tr("In the files"), "name": tr("Class"), "none": tr("No label")},
            key=f"classes_{fingerprint([draft.data, rows])[:8]}",
        )
        st.caption(
            tr("Two values with one name become one class. Examples without a label can only be asked about.")
        )
        if st.form_submit_button(tr("Name them this way")):
            change(mapping=_named(draft.mapping, edited.to_dict("records")))
            st.rerun()


def _values(draft: Draft, found: Mapping[str, Any]) -> list[str]:
    """The values in the files: those that became classes, and those that were said to be no label."""
    given: Mapping[str, str] = draft.mapping.get("class_names") or {}
    kept = [value for value in found["classes"] if value not in set(given.values())]
    none = [value for value in draft.mapping.get("unlabelled") or () if value not in UNLABELLED]
    return sorted({*map(str, kept), *given, *none})


def _named(mapping: Mapping[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The mapping with what the table says; nothing is kept of values that are as in the files."""
    kept = {name: value for name, value in mapping.items() if name not in ("class_names", "unlabelled")}
    names = {
        str(row["value"]): str(row["name"]).strip()
        for row in rows
        if not row["none"] and row["name"] and str(row["name"]).strip() != str(row["value"])
    }
    none = [str(row["value"]) for row in rows if row["none"]]
    if names:
        kept["class_names"] = names
    if none:
        kept["unlabelled"] = [*UNLABELLED, *none]
    return kept

"""Labels leave the app: the usual table with one click, every other format in a dialog."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.audit.exporting import ExportFormat
from tracin_viz.ui.access import managing, may_import, may_manage
from tracin_viz.ui.guard import guarded
from tracin_viz.ui.imports import import_dialog
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.results import shared
from tracin_viz.ui.working import followed

_TITLES = {
    "csv": later("CSV table"),
    "jsonl": later("JSON Lines"),
    "parquet": later("Parquet"),
    "hf": later("Hugging Face data set"),
    "imagefolder": later("Hugging Face imagefolder"),
    "images": later("Cleaned folder of pictures"),
    "cleanlab": later("cleanlab"),
    "cleanlab-multi": later("cleanlab, several annotators"),
    "label-studio": later("Label Studio"),
}
#: What each format is for, in one line.
_PURPOSES = {
    "csv": later("A table for spreadsheets and scripts. No cell in it can run as a formula."),
    "jsonl": later("One JSON object for each example: for scripts and most tools."),
    "parquet": later("A table with types, small and quick to read: for pandas and databases."),
    "hf": later("A folder that datasets.load_from_disk opens."),
    "imagefolder": later("All pictures with metadata.jsonl, as datasets.load_dataset reads it."),
    "images": later("The pictures in one folder for each decided class, without the excluded ones."),
    "cleanlab": later("The table with cleanlab's columns; label_score: low = bad."),
    "cleanlab-multi": later(
        "Class numbers, one column for each person: for cleanlab's multi-annotator tools."
    ),
    "label-studio": later("Tasks with suggestions as predictions and decisions as annotations."),
}
_ROWS = {
    "all": later("All training examples"),
    "decided": later("Decided ones"),
    "changes": later("Changes only"),
}
#: Columns of the preview: all of them are in the file.
_SHOWN = ("id", "source", "given_label", "label", "action", "annotator", "decided_at", "note")
#: Rows of a file that the browser downloads; a larger one would lie in the server's memory.
_DOWNLOADED = 200_000
_PREVIEW = 5


def offer_exports(audit: Audit) -> None:
    """Download of the usual table, and the ways to every other format and back from a file."""
    with st.container(horizontal=True, vertical_alignment="center", key="exports"):
        st.download_button(
            tr("Download CSV"),
            data=audit.export_csv,
            file_name=f"{audit.name}-labels.csv",
            mime="text/csv",
            key="download",
            icon=":material/download:",
            on_click="ignore",
            help=tr("All training examples with the given and the new label."),
        )
        if st.button(tr("Other formats"), key="export_more", icon=":material/output:"):
            st.dialog(tr("Take the labels with you"), width="large")(export_form)(audit)
        if may_import() and st.button(tr("Import labels"), key="import_labels", icon=":material/upload:"):
            import_dialog(audit)


@guarded
def export_form(audit: Audit) -> None:
    """Format, rows, a preview, and the way to have the file."""
    formats = {each.name: each for each in audit.export_formats()}
    name = st.selectbox(
        tr("Format"), list(formats), format_func=lambda name: tr(_TITLES[name]), key="export_format"
    )
    chosen = formats[str(name)]
    st.caption(tr(_PURPOSES[chosen.name]))
    rows = "all" if chosen.whole else _which_rows()
    log = len(audit.history())
    only = shared(audit, "export rows", rows, log, compute=lambda: audit.export_rows(rows))
    st.markdown(trn("**{n} example** in the file", "**{n} examples** in the file", len(only)))
    if not len(only):
        st.info(tr("Nothing is decided yet that such a file could hold. Choose all training examples."))
        return
    first = list(only[:_PREVIEW])
    preview = shared(audit, "export preview", rows, log, compute=lambda: audit.export_preview(first))
    st.dataframe(preview[list(_SHOWN)], hide_index=True, width="stretch", key="export_preview")
    st.caption(tr("The first rows and main columns; docs/exports.md explains every column of the file."))
    if chosen.ending and len(only) <= _DOWNLOADED:
        _download(audit, chosen, rows)
    else:
        _write_here(audit, chosen, rows)


def _which_rows() -> str:
    found = st.segmented_control(
        tr("Rows"),
        list(_ROWS),
        format_func=lambda name: tr(_ROWS[name]),
        default="all",
        required=True,
        key="export_rows",
    )
    return str(found)


def _download(audit: Audit, chosen: ExportFormat, rows: str) -> None:
    st.download_button(
        tr("Download"),
        data=lambda: audit.export_bytes(chosen.name, rows=rows),
        file_name=f"{audit.name}-{chosen.name}-{rows}{chosen.ending}",
        key="export_download",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def _write_here(audit: Audit, chosen: ExportFormat, rows: str) -> None:
    """Folders and very large files stay on the server's computer."""
    if not may_manage():
        st.info(tr("The server writes this one into its workspace, which a read-only view cannot ask for."))
        return
    if st.button(tr("Write it on the server"), key="export_write", type="primary", icon=":material/save:"):
        managing()
        path = followed(
            tr("Writing…"),
            lambda told: audit.export_here(chosen.name, rows=rows, told=told),
        )
        st.success(tr("Written on the server's computer:"))
        st.code(str(path), language=None, wrap_lines=True)
    else:
        st.caption(tr("A folder or a very large file: the server writes it into its workspace."))

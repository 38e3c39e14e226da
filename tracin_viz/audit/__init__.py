"""The façade: everything that pages and the command line may ask for.

``Workspace`` is the folder of audits; ``Audit`` answers questions about one of them. Nothing here imports
torch or Streamlit: what needs torch is asked of a run or of the query process (DESIGN §4).
"""

from tracin_viz.audit.advice import CheckpointAdvice, advice, size_of_run
from tracin_viz.audit.audit import Audit
from tracin_viz.audit.columns import CONFIDENCE_BANDS, cluster_column, decided_column
from tracin_viz.audit.drafts import Draft
from tracin_viz.audit.exploring import Grouping
from tracin_viz.audit.groups import Group, cell_address
from tracin_viz.audit.looks import Look
from tracin_viz.audit.report_page import report_html
from tracin_viz.audit.reviewing import ClassNoise
from tracin_viz.audit.roots import code_is_trusted, inside_roots, listing, roots
from tracin_viz.audit.runs import Ready
from tracin_viz.audit.teachers import Teacher, Teachers
from tracin_viz.audit.validation import grouped, report_csv, validation_report
from tracin_viz.audit.workspace import AuditSummary, Workspace
from tracin_viz.explore.clusters import ClusterSummary
from tracin_viz.explore.comparing import Agreement, Overlap, agreement, overlap
from tracin_viz.explore.facets import Column, counts, listed, passing
from tracin_viz.explore.noise import Reviewed
from tracin_viz.relabel.decisions import Stacks
from tracin_viz.relabel.delivery import Delivered
from tracin_viz.relabel.policies import POLICIES, Conflict
from tracin_viz.relabel.sessions import MODES, QueueEntry, Session
from tracin_viz.report.options import ReportOptions
from tracin_viz.report.page import report_headline, report_page
from tracin_viz.report.words import Words
from tracin_viz.store.unpacking import is_run_archive
from tracin_viz.store.upload_limits import readable
from tracin_viz.store.uploads import OffsetError, Upload, Uploads
from tracin_viz.store.views import View

__all__ = [
    "CONFIDENCE_BANDS",
    "MODES",
    "POLICIES",
    "Agreement",
    "Audit",
    "AuditSummary",
    "CheckpointAdvice",
    "ClassNoise",
    "ClusterSummary",
    "Column",
    "Conflict",
    "Delivered",
    "Draft",
    "Group",
    "Grouping",
    "Look",
    "OffsetError",
    "Overlap",
    "QueueEntry",
    "Ready",
    "ReportOptions",
    "Reviewed",
    "Session",
    "Stacks",
    "Teacher",
    "Teachers",
    "Upload",
    "Uploads",
    "View",
    "Words",
    "Workspace",
    "advice",
    "agreement",
    "cell_address",
    "cluster_column",
    "code_is_trusted",
    "counts",
    "decided_column",
    "grouped",
    "inside_roots",
    "is_run_archive",
    "listed",
    "listing",
    "overlap",
    "passing",
    "readable",
    "report_csv",
    "report_headline",
    "report_html",
    "report_page",
    "roots",
    "size_of_run",
    "validation_report",
]

"""The façade: everything that pages and the command line may ask for.

``Workspace`` is the folder of audits; ``Audit`` answers questions about one of them. Nothing here imports
torch or Streamlit: what needs torch is asked of a run or of the query process (DESIGN §4).
"""

from tracin_viz.audit.audit import Audit, Ready
from tracin_viz.audit.workspace import AuditSummary, Workspace
from tracin_viz.relabel.sessions import QueueEntry
from tracin_viz.store.uploads import OffsetError, Upload, Uploads

__all__ = ["Audit", "AuditSummary", "OffsetError", "QueueEntry", "Ready", "Upload", "Uploads", "Workspace"]

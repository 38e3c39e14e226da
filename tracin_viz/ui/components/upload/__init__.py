"""The upload of files from a browser."""

from tracin_viz.ui.components.upload.upload import upload_box

__all__ = ["upload_box"]

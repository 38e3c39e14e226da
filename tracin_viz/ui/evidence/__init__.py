"""Does it help? What pages show of estimates, retrainings and self-tests."""

from tracin_viz.ui.evidence.estimate import show_estimate
from tracin_viz.ui.evidence.retraining import show_retraining
from tracin_viz.ui.evidence.self_test import show_self_test

__all__ = ["show_estimate", "show_retraining", "show_self_test"]

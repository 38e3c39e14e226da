"""TracIn-Viz: why a trained model predicts what it predicts, in terms of its training data.

Importing this package imports nothing heavy; see ``tracin_viz.audit`` for what the pages and the
command line may ask for and ``tracin_viz.engine`` for the influence engine on its own.
"""

__version__ = "0.1.0"

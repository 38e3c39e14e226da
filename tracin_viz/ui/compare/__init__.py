"""Two sets of checkpoints, or two audits, side by side."""

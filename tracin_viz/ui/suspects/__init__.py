"""The parts of the Suspects page."""

"""Decided labels as files of other programs, and back: one schema, one module per format."""

"""Trained models as people have them on disk, opened without executing anything."""

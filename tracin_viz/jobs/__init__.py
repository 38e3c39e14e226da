"""Runs and the query process: everything that happens outside the page."""

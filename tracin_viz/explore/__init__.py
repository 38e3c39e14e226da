"""Suspects, clusters, maps and neighbours: pure functions on arrays."""

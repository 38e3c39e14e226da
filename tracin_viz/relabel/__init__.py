"""Decisions about labels: append-only events, frozen queues, exports."""

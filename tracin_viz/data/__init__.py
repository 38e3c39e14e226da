"""Data sets as the app sees them: splits of images or texts with labels, read lazily, never written."""

"""The Report page: what goes into the file, the file itself, and the presentation."""

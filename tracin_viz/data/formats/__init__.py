"""One module per file layout that a data set can have."""

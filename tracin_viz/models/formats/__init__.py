"""One module per layout of a trained model on disk."""

"""One module per family of operations: from (input, output gradient) to per-example gradients."""

"""Small components in plain JavaScript, one folder each."""

"""The Relabel page: beginning a queue, the card, what was decided, and how far people agree."""

"""The Influence page: choosing a query, its answer, where it comes from, and who opposes many."""

"""The report of an audit: one HTML file that needs nothing else, from plain documents of the façade."""

"""The way from "my own model and data" to an audit, in three steps."""

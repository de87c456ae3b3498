"""The /_mock namespace: what the author of a test reads and changes."""

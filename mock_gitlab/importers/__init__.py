"""Readers of other formats, which write scenario files. None yet."""

"""What a store raises."""


class UnusableDatabase(Exception):
    """A file cannot serve as the store; the message is one line for people."""


class StoreUnavailable(Exception):
    """SQLite cannot do it now: a full disk, a lock, a read-only or damaged file."""

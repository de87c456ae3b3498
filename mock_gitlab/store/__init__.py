"""SQLite: rows in, values out."""

"""What the author of a test imports: the mock as a library, its client, the pytest plugin."""

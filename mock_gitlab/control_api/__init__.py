"""The /_mock namespace: the test author's hand on the mock."""

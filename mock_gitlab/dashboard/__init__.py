"""The live page in a browser. None yet."""

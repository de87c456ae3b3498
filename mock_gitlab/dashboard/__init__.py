"""The live page in a browser: static files, and what serves them."""

"""YAML: files in, Declarations out."""

"""A test double for GitLab CI: trigger pipelines, poll them, declare what happens."""

__version__ = "0.1.0"

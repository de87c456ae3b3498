"""The versions, for whoever needs nothing else."""

__version__ = "0.1.0"
GITLAB_VERSION = "18.5.0-ee"
"""The version of GitLab that the mock claims to be."""

"""The plain service: one isolated mock GitLab, without HTTP and without files."""

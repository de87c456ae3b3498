"""GitLab's REST API v4: one module per page of GitLab's API documentation."""

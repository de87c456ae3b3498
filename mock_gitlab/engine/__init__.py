"""GitLab's rules as pure functions of frozen values."""

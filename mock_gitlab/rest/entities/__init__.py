"""The shapes that several pages show, with what presents them, as GitLab's entities are."""

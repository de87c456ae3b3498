"""The kit that GitLab's endpoints are written with: parameters in, answers out."""

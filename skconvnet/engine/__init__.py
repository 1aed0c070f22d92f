"""A network at work: its weights, its samples, and its passes on threads."""

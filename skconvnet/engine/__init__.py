"""A network at work: its weights, its samples, and passes over threads."""

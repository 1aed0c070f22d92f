"""Which parts of a sample made a network say what it said."""

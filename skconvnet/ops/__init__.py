"""Functions on arrays that know nothing of layers."""

"""Base classes for objects of hyperparameters, with their names and constraints."""

"""Hyperparameters as objects: their base classes, names and constraints."""

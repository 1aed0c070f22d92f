"""Pictures of networks and of what they compute, as scikit-learn's Displays."""

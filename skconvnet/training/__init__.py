"""Training: the loop over minibatches, L-BFGS, and what they share."""

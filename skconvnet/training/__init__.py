"""The training loop over minibatches, training by L-BFGS, and what they share."""

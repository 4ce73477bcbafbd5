"""Pictures, weights, samples and plots, in and out."""

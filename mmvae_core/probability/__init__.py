"""Posteriors, priors, likelihoods and importance weights."""

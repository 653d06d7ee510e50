"""What is measured: likelihoods, rates, coherence, probes. Plain functions, each with a seed."""

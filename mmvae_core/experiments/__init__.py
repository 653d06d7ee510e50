"""The paper's experiments: which models are trained, what is measured, what can be claimed."""

"""From a configuration to trained weights, and what is fitted afterwards."""

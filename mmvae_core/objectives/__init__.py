"""Training objectives: lower bounds, each one file, all maximised."""

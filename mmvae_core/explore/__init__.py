"""What the app shows of a model, from a notebook too."""

"""What a model is shown and makes, one modality each, and people's own input."""

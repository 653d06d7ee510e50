"""How values of a kind of modality look; no torch."""

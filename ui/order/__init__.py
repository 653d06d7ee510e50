"""The page Order."""

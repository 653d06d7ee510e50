"""The page Inside the fusion."""

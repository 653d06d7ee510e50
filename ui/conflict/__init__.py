"""The page Conflict."""

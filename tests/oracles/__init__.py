"""Models whose answers are known in closed form."""

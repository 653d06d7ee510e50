"""Small commands for maintainers."""

"""People's own data: files in, a study.toml that says what they are, items out."""

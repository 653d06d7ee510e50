"""The frame round every page: session and address, caches, messages, shared choices."""

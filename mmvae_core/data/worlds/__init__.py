"""Worlds whose truth is known, made from seeds."""

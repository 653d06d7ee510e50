"""Tests; `tests.oracles` holds models whose answers are known in closed form."""

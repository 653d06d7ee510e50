"""Aggregators: from the features of the shown modalities to one posterior."""

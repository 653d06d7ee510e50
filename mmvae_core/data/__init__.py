"""Data sets, one file each: readers that check sizes first, pairing of modalities, downloads."""

"""Encoders and decoders, one per modality."""

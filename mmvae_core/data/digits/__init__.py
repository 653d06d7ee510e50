"""Three views of a digit: handwriting, a photo and a word."""

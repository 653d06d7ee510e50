"""A run without Python: plain arrays, the same networks in JavaScript, a page in one file."""

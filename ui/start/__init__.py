"""What is only on the page Start."""

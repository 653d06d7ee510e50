"""Views that two pages or more use."""

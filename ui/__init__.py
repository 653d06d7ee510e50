"""Everything of the app that two pages share."""

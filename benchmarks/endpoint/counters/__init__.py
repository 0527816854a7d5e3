"""What a live server counted, read from its metrics page."""

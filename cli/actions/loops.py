"""Commands of the circle: what was served judges rankers, and leads to new ones."""

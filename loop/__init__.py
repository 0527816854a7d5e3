"""The circle: what was served judges the ranker that serves, and the one that could take its place."""

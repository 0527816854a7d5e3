"""The circle on embedded data."""

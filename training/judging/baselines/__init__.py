"""Rankers without a network, to compare with: fitted in seconds, or rules alone."""

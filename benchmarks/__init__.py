"""Evidence: what shortest-predicted-first brings on real traffic, beside first-come-first-served and the oracle."""

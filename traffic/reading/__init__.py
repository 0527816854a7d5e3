"""From what a file holds to rows of traffic."""

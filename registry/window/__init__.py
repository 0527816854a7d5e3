"""What a ranker reads of a request: all of it where that fits its network, else the ends of each of its parts."""

"""How much an order agrees with the true one, pair by pair: what a ranker is judged by, at training and in service."""

"""How a ranker is used: rank, prioritise, generate."""

"""Published sets of conversations: each answer of one is a request with all that came before it."""

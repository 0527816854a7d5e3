"""Several target LLMs at once: one encoder with a head for each, and a ranker of each."""

"""How a ranker is made: a log of one LLM's answer lengths in, a registered ranker out."""

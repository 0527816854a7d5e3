"""A target LLM asked on purpose: which prompts, how, and what it answered, in a folder that is a log."""

"""The embedded workload, the small LLM that answers it, and the life of a ranker on both."""

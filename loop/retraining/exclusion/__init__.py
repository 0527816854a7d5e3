"""One retraining of a target LLM at a time, on one machine and on several."""

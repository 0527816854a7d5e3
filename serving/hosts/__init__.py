"""Where it runs: vLLM's engine, the parts put together, starting and stopping."""

"""What an order would bring, without an engine: vLLM's own scheduler under a virtual clock."""

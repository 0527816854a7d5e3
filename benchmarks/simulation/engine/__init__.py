"""One simulated engine: what stands before it, vLLM's scheduler under a virtual clock, and a run of both."""

"""The replay's client held against vLLM's own: one server, the same requests, first come, first served."""

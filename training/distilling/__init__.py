"""The instant network: what it reads, on which prompts, and how the encoder teaches it."""

"""The network that reads prompts: an encoder with a head, and prompts as its batches."""

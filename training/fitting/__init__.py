"""From labelled prompts to a fitted network: pairs, losses, the Lightning module, checkpoints."""

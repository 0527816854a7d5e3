"""A challenger beside the champion on what was served: how it would have ordered, offline and without its cost."""

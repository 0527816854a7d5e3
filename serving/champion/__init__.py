"""Which rankers are served: follow the alias, swap, keep the last one on disk."""

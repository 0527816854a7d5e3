"""Every target LLM of the registry at a glance: its champion, and how that does."""

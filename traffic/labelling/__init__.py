"""One label a distinct prompt, of as many rows as a log has."""

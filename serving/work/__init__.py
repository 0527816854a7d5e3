"""What a request costs an engine: seconds of a step, and from them of a token."""

"""What happens to an HTTP request before and after the engine: bodies, routes, refusals."""

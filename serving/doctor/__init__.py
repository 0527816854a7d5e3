"""What an operator should know before a server starts, or when it does not do what was hoped for."""

"""How each feature of a request is read: of its text, and of what it asks for beside it."""

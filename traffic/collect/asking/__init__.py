"""The process that asks: HTTP, what is tried again, what an answer says, and the lines that are never lost."""

"""What a user should know of a log: gathered while it is read, and said in sentences."""

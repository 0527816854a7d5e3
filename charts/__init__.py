"""Charts in numbers, and how they are drawn; nothing here knows what they are about."""

"""What each command does: it calls a room and returns what is to be printed."""

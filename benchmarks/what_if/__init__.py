"""What ordering would bring for a user's own log, and what to spend on: simulated, before anything is deployed."""

"""From a request to its place in the queue and its priority, within a budget of time."""

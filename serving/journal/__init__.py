"""What the server remembers of the requests that it served: a row each, on disk, in the schema of traffic."""

"""A live server: started or found, asked with planned requests, and read by its own counters."""

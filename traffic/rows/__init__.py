"""What a row is: as a file holds it, as all readers yield it, and what becomes of a bad one."""

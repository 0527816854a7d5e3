"""The orders that the evidence compares: what they are called, and the places they deal out. Pure."""

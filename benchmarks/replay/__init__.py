"""Recorded traffic sent to real servers under several orders."""

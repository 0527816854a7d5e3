"""The live proof of benefit: the journal's last whole day, beside what it would have been first come, first served."""

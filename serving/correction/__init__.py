"""The running correction: what finished answers say of a ranker's predictions between two trainings."""

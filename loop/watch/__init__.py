"""Has a ranker aged? A journal's answers are held against what its card says, as a running server does it."""

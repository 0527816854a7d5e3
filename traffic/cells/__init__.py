"""What one cell of a log may hold, in one place each: counts, words for how an answer ended, times, conversations."""

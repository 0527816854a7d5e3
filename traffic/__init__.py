"""What was asked and answered: logs of prompts, lengths and arrivals, read and checked. Below training and serving."""

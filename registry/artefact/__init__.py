"""What a registered ranker is: data only. Two networks, a tokenizer, and a card that says how to read their scores."""

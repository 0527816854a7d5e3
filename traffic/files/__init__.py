"""Files of a log as records: parquet, JSON Lines, JSON and CSV, each also compressed, alone or many in a folder."""

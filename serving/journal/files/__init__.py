"""The files of the journal: appended to, rolled into parquet, kept for a while, rewritten to forget somebody."""

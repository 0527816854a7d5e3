"""Any log as a folder of parquet of our own form, partitioned by target LLM."""

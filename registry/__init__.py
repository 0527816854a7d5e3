"""What a registered ranker is, and where its versions live: the contract between training and serving."""

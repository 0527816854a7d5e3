"""Whether a ranker ages: what its answers say of its predictions, held against what its card says of them."""

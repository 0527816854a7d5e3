"""Several engines behind a router: what routing adds to ordering."""

"""The Optuna study: what a trial tries, and where the trials of several workers lie."""

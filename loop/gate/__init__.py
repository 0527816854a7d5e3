"""The gate: what a challenger must show before it is served."""

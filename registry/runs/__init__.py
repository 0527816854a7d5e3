"""Runs in MLflow: kept from being lost, and what MLflow refuses, told."""

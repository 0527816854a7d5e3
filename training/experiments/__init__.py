"""Trainings that are repeated and register nothing: cross-validation, ablation."""

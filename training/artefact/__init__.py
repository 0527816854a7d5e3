"""From a fitted network to a ranker's folder: export, calibration, test."""

"""Records of other tools' logs as records of ours: one small pure file for each source."""

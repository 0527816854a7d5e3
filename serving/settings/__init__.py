"""What the settings of `serving/config.py` are made of: variables, flags, pairs of names and values."""

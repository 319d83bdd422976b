"""A year of a made-up business, written directly into the tables: the same seed and moment make the same year."""

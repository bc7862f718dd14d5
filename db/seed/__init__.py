"""A demo clinic to look at, and a large one to measure: `python -m db.seed --help`."""

"""Prefix scorers (2310.17022): what unfinished answers are worth, learned from whole answers of the model itself."""

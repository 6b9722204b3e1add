"""One file per published objective, named after it."""

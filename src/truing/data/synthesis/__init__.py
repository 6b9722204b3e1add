"""Training data that a model helps to write: its answers, its debates, its reading of conflicting texts."""

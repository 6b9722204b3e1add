"""Rationales of pairs, written by a model: why the chosen answer is better (2407.14477)."""

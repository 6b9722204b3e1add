"""Debates of two models about a question: their trees, what a turn is worth, and pairs of turns."""

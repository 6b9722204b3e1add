"""Rewards that are rules or programs: they need no training, and say why an answer is worth what it is."""

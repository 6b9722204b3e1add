"""GTAlign (2510.08872): answers that reason about a game, and what they are worth to both sides."""

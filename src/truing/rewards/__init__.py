"""Rewards and judges: what an answer is worth."""

"""Rewards that depend on who asks: ideal points of users, on states of a frozen model."""

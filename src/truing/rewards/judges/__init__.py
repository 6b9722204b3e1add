"""Rewards that a language model gives when it is asked: behind an endpoint, or in a local folder."""

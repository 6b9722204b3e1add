"""Audits of judges and of preferences: what drives them, how arbitrary they are, and which cues move them."""

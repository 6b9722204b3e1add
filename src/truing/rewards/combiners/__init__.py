"""Combiners of rewards, one file each."""

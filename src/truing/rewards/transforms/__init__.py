"""Transforms of rewards, one file each."""

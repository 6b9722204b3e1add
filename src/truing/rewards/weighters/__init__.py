"""Weighters of objectives, one file each."""

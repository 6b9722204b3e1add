"""Runs Python that nobody has read: without files, network, other processes, or more time and memory than allowed."""

"""Judges as protocols: what is shown in which order, what is read, and how verdicts are merged."""

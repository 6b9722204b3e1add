"""Distributions of values from tables of features, and how good a ranking and an estimate they give."""

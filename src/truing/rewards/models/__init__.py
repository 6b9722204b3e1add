"""Trained reward models: what their head means, loading, scoring, training."""

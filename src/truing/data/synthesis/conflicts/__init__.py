"""Questions with passages that contradict each other, or what a model remembers: contexts, strategies, rows."""

"""Guidelines that a model writes beforehand, and that other questions are answered under (Guide-Align, 2403.11838)."""

"""Unlearning: fictitious authors to forget, metrics of forgetting, weight attribution, and masked updates."""

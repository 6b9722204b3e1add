"""Alignment by what a model is shown: changes of prompts, which leave its weights alone."""

"""Recipes: one short YAML file says what to train, on what, how, and where the results go."""

from truing.recipe.load import load_recipe, parse_recipe
from truing.recipe.schema import Recipe

__all__ = ["Recipe", "load_recipe", "parse_recipe"]

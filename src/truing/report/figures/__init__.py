"""Figures as plain geometry; the template turns them into inline SVG."""

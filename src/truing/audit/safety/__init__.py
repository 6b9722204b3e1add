"""Audits of what models do with requests that they should refuse, and with such that only look so."""

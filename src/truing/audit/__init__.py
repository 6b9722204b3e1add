"""Audits that run models: what is asked, what is said, and rates with intervals."""

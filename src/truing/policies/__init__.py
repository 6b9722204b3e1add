"""Policies: anything that can score an output given a context, and sample one."""

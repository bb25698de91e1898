"""Notebooks as stages: what their cells say, how they are executed, and what is kept of it as evidence."""

"""Pickles looked at without opening them: what they name, and what about them cannot be trusted."""

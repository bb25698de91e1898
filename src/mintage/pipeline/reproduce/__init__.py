"""Rebuild what a commit says it made, in an empty place, and say how near it came."""

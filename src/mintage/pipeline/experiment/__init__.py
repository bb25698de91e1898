"""Experiments: variants of the work tree that are run beside it and kept as commits off the branches.

See docs/spec/experiments.md.
"""

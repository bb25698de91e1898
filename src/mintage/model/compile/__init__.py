"""Compilers of a model's graph to languages that other platforms speak."""

"""Pipelines: graph, plan, cache key, environment, sandbox, runs, and the implicit stage that builds a model."""

"""Runs with their parameters, metrics and artifacts: written by the pipeline, searched by people."""

"""Runtimes that can answer for a model beside our own: one file each, with a ``RUNTIME``. See ``runtimes.base``."""

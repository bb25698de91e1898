"""Exports of a model for other platforms: one file each, with an ``EXPORT``. See ``export.base``."""

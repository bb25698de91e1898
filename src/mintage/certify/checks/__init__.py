"""The built-in checks: one file each, each with its ``CHECK``."""

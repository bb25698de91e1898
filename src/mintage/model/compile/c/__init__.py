"""The compiler to C99: docs/spec/export-c.md. ``program`` is its door."""

"""The compiler to SQL: ``query`` writes one SELECT, or a view, for DuckDB or PostgreSQL."""

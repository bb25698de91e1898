"""The SQLite database: connections, numbered migrations, and the transaction that audit and tracking share."""

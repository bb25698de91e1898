"""Git, the project's files and locks, and the workspace they live in."""

"""What a run imports by name and opens of the repository's own files: placed for it, watched, joined with its key."""

"""Digests, canonical JSON, and the envelope that every record has. Pure: no files but the one to hash."""

"""Sign and verify: keys, DSSE envelopes, in-toto statements, signed model folders, and who is trusted for what."""

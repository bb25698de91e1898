"""Environments built from a lock: what the lock pins here, how it is built, and where it is kept.

It promises that the key of such an environment is known before anything is built, and that what runs has exactly the
packages of that key. It resolves nothing, builds no source, and knows nothing of stages.
"""

"""Releases: manifests in Git say which model an environment runs; reconcile makes it so."""

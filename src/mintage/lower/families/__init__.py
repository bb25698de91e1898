"""One file a family of estimators; each has a ``FAMILY``. Adding a family is adding a file here, or an entry point."""

"""Read a DVC project as data: configuration, what it tracks at any revision, its cache. DVC is not needed or run."""

"""The content-addressed store: blobs and trees under ``.mintage/store``, verified on every read."""

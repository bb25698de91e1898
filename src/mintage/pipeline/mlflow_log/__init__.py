"""What a stage logged with MLflow to a folder or a SQLite database of its own: read without MLflow, named, kept.

``read_logged`` reads it, ``name_runs`` gives its numbers stable names, ``keep_logged`` puts it into the store. Nothing
of MLflow is imported and nothing is unpickled. A tracking server is the script's business.
"""

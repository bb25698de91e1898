def per_row(holdout, data):
    """Rows of a kind."""
    assert data.options == {"kind": "x"} and data.task == "binary" and data.classes == ("no", "yes")
    assert len(holdout) == len(holdout.labels) == len(holdout.answers) == len(holdout.predicted)
    assert set(holdout.columns) >= {"a", "kind"} and data.threshold == 0.5 and isinstance(data.seed, int)
    return holdout["kind"] == data.options["kind"]

def per_row(holdout, data):
    """Buyers that are missed."""
    return (holdout.labels == 1) & (holdout.predicted == 0)

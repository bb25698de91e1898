TITLE = "share that is right"


def number(holdout, data):
    half = holdout.take(range(0, len(holdout), 2))
    assert len(half) == (len(holdout) + 1) // 2 and len(data.train) > 0 and len(data.validation) > 0
    return (holdout.labels == holdout.predicted).mean()

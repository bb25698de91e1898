def counter_examples(holdout, data):
    """Rows whose answer falls when a rises."""
    more = data.ask({**holdout.columns, "a": holdout["a"] + 1})
    for place in (more < holdout.answers - 1e-9).nonzero()[0]:
        yield {"row": int(place), "by": more[place] - holdout.answers[place]}

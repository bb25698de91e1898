"""Watches a model in production and says what to do: nothing, warn, or retrain.

``watch`` is the one call that a face makes; ``decide`` holds the rule; ``add_labels`` takes in what turned out to be
true. Nothing here trains, releases or opens an issue: a candidate comes in through a protocol, the decision goes out as
a record.
"""

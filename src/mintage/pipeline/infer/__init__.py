"""Infer models/<model>.yaml from what a run read and wrote.

``infer_model`` promises that each fact says what it was inferred from, that no estimator is opened in our process and
no hold-out at all, and that what cannot be known is a question with the line that answers it, never a guess.
"""

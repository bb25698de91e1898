"""The rows that a stage's estimator was fitted on, and those that it held out, where the script splits in memory.

``inside`` runs in the user's program and writes down what it saw; ``decide`` says which rows are which, and whether the
held-out ones are honest; ``gather`` makes Parquet tables of them. See docs/spec/capture.md.
"""

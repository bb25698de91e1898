"""Run a project's own check. Runs alone, in the user's environment: ``python -s -u inside`` in a scratch folder.

The file is code of the user's, so it runs in a process of its own that has no keys and no network and imports nothing
of Mintage: the standard library, numpy, and hypothesis for relations. What is asked comes as a line of JSON on the
standard input; ``done`` or ``failed`` answers it, with result.json and result.npz in the working folder. Between the
two stand lines ``ask``: the model shall answer the rows of ask.npz, or the few rows behind that word.
"""

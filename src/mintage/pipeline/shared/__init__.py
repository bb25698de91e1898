"""Results of stages, shared through the project's remote: what a colleague or CI has run is a download here.

``publish`` signs what was made here and puts it where others look, ``find`` asks for a key that is not known here and
brings what a trusted maker has for it, ``recall`` brings back a result of one's own. The format is in
docs/spec/shared-result.md. Nothing here runs a stage, and a remote that does not answer never fails a run.
"""

"""Finding what a folder holds before it is a project: scripts to run, the environment they need, data and secrets.

It reads text and names alone: no code of the folder is run, but for asking an interpreter what it can import.
"""

"""The command line: one file a command; parse, call, render. Data to stdout, talk to stderr."""

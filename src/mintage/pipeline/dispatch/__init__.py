"""Run a stage elsewhere: hand out its action, run it by digest alone, and take what comes back once it is verified."""

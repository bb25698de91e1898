"""Judge a model against its policy: checks, verdicts with intervals, and the certificate that records them."""

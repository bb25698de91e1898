"""Why a metric changed: parts of two commits swapped one by one, and the one version that broke it found by halving."""

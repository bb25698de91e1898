"""Time the search for weak slices (check S1): 14 columns, 16,281 rows, all slices of two conditions.

Run ``python bench/slices.py``; prints JSON. ``bench/certify.py`` measures it beside a peer.
"""

from __future__ import annotations

import json
import sys

from searches import slices

if __name__ == "__main__":
    sys.stdout.write(json.dumps(slices(numbers=6, texts=8, times=7), indent=2) + "\n")

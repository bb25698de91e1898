"""Times sliceline on rows that searches.py wrote; prints JSON. Runs in the environment of the peers."""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
from sliceline.slicefinder import Slicefinder

with np.load(sys.argv[1], allow_pickle=False) as rows:
    codes, hits = rows["codes"] + 1, rows["hits"].astype(float)
seconds, processor = [], []
for _ in range(3):
    started, used = time.perf_counter(), time.process_time()
    Slicefinder(alpha=0.95, k=50, max_l=2, min_sup=int(sys.argv[2]), verbose=False).fit(codes, hits)
    seconds.append(round(time.perf_counter() - started, 4))
    processor.append(round(time.process_time() - used, 4))
figures = {"median": float(np.median(seconds)), "processor_s": float(np.median(processor)), "seconds": seconds}
print(json.dumps({**figures, "version": version("sliceline")}))

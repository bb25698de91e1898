"""What a package that brings a check needs, and nothing else of Mintage's inside. See docs/spec/check.md.

A check is one object with the attributes of ``Check``, named by an entry point of the group ``mintage.checks``. These
names stay as they are within a version of the protocol (``PROTOCOL``). ``mintage.check.suite`` has the tests that every
check must pass, our own too.

>>> import numpy as np
>>> from mintage.check import Answers, Resampling, Split, measured_samples
>>> holdout = Split(
...     name="hold-out",
...     columns={"a": np.arange(40.0)},
...     labels=np.arange(40) % 2,
...     answers=Answers(task="binary", values=np.full(40, 0.5)),
... )
>>> resampling = Resampling(confidence=0.95, draws=1000, seed=1)
>>> bootstrap = bootstrap_of(holdout, resampling, stream="holdout")
>>> rows = holdout.labels.astype(float)
>>> found = measured_samples(0.5, bootstrap.means(rows), rows=40, groups=[bootstrap.groups], resampling=resampling)
>>> judge(found.interval, Gate(direction="at_most", threshold=0.9))
'PASS'
"""

from mintage.certify.answers import Answers, Task
from mintage.certify.check import Check, CheckResult, Requirement, Resampling
from mintage.certify.evidence import Champion, Evidence, Native, Split
from mintage.certify.judge import Gate, Severity, Verdict, judge
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, bootstrap_of, conclude, exact, measured_samples, without_number
from mintage.certify.metric_interval import measure_gains, measure_gap, measure_metric
from mintage.certify.metric_requirement import MetricRequirement
from mintage.certify.served import Columns, Served
from mintage.certify.share import measure_share
from mintage.errors import PolicyUnfitError
from mintage.stats.interval import Interval

__all__ = [
    "PROTOCOL",
    "Answers",
    "Champion",
    "Check",
    "CheckResult",
    "Columns",
    "Evidence",
    "Gate",
    "Interval",
    "LatencyRun",
    "Measurement",
    "MetricRequirement",
    "Native",
    "PolicyUnfitError",
    "Requirement",
    "Resampling",
    "Served",
    "Severity",
    "Split",
    "Task",
    "Verdict",
    "bootstrap_of",
    "conclude",
    "exact",
    "judge",
    "measure_gains",
    "measure_gap",
    "measure_metric",
    "measure_share",
    "measured_samples",
    "without_number",
]

PROTOCOL = 1

"""Corrections for many comparisons, beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from mintage.stats.multiplicity import benjamini_hochberg, holm

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=50)


@given(SHARES)
def test_benjamini_hochberg_is_scipys(values: list[float]) -> None:
    p = np.array(values)
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p), rtol=1e-12)


@given(SHARES)
def test_holm_rejects_step_by_step(values: list[float]) -> None:
    p = np.array(values)
    found = holm(p) <= 0.05
    expected = np.zeros(len(p), dtype=bool)
    for rank, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] * (len(p) - rank) > 0.05:
            break
        expected[place] = True
    np.testing.assert_array_equal(found, expected)


def test_no_comparison_is_no_finding() -> None:
    assert benjamini_hochberg(np.array([])).tolist() == []
    assert holm(np.array([])).tolist() == []


@pytest.mark.parametrize("correct", [benjamini_hochberg, holm])
def test_what_is_no_p_value_is_refused(correct: object) -> None:
    with pytest.raises(ValueError, match="p-value"):
        correct(np.array([0.1, np.nan]))  # type: ignore[operator]

"""Open the estimator's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .bare import bare_library, open_bare, wrap_bare
from .bundle import THRESHOLDS, split_bundle
from .graph_model import SUFFIXES, open_graph
from .refused import Refused

__all__ = ["open_estimator", "threshold_in"]


def open_estimator(path: Path) -> tuple[Any, dict[str, Any]]:
    """Load the file: the estimator, and what stands beside it; classes that cannot be imported here are custom code,
    which is refused."""
    if path.suffix in SUFFIXES:
        return open_graph(path), {}
    library = bare_library(path)
    if library is not None:
        return open_bare(path, library), {}
    try:
        import joblib
    except ImportError as error:
        raise Refused(f"joblib, which the estimator's file needs, is not in this environment: {error}") from error
    try:
        found = _open_skops(path) if path.suffix == ".skops" else joblib.load(path)
    except (ImportError, AttributeError) as error:
        raise Refused(f"the estimator uses code that is not from an installed library: {error}") from error
    except Exception as error:
        raise Refused(f"the estimator's file cannot be opened: {type(error).__name__}: {error}") from error
    model, beside = split_bundle(found)
    return wrap_bare(model), beside


def threshold_in(beside: dict[str, Any]) -> float | None:
    """The threshold that stands beside an estimator, if one does."""
    numbers = [float(beside[name]) for name in THRESHOLDS if isinstance(beside.get(name), (int, float))]
    return numbers[0] if numbers else None


def _open_skops(path: Path) -> Any:
    """A skops file names the types it is made of; all are taken, as from a pickle: this process is closed off."""
    import skops.io

    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))

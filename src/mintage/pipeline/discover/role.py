"""What a script is for: by what its text does and what its name says. Pure.

>>> from mintage.pipeline.discover.script import read_script
>>> def role(path, text, **more):
...     return role_of(read_script(path, text), trains=".fit" in text, **more)
>>> role("a.py", "m.fit(x)\\njoblib.dump(m, 'm')"), role("evaluate.py", "m.fit(x)"), role("02_clean_data.py", "go()")
('train', 'evaluate', 'prepare')
"""

from __future__ import annotations

import posixpath
import re
from typing import Literal

from mintage.pipeline.discover.script import Script

__all__ = ["Role", "is_aside", "number_of", "rank_of", "role_of", "stage_name", "words_of"]

Role = Literal["fetch", "prepare", "train", "evaluate", "serve", "other"]

_FETCH = ("get", "download", "fetch", "scrape", "make", "generate", "crawl")
_PREPARE = ("ingest", "load", "etl", "prepare", "prep", "preprocess", "preprocessing", "process", "clean", "cleaning")
_LATER = ("transform", "build", "dataset", "split", "features", "featurize", "feature", "encode", "data")
_TRAIN = ("train", "training", "trainer", "fit", "model", "modeling", "modelling", "finetune", "tune", "main", "run")
_EVALUATE = ("evaluate", "evaluation", "eval", "test", "score", "scoring", "validate", "predict", "prediction", "infer")
_LOOK = ("inference", "plot", "plots", "viz", "visualize", "report", "explore", "exploration", "eda", "benchmark")
_SERVE = ("serve", "server", "app", "api", "deploy", "dashboard", "web", "ui")
_ASIDE_FILES = re.compile(
    r"(test_.*|.*_test|conftest|setup|noxfile|tasks|fabfile|manage|wsgi|asgi|__init__|version)\.py$"
)
_ASIDE_FOLDERS = frozenset(("tests", "test", "docs", "doc", "examples", "migrations", "site-packages", "build", "dist"))


def is_aside(path: str) -> bool:
    """Whether a file is a test, a set-up script or the like, and so no part of training.

    >>> is_aside("tests/test_a.py"), is_aside("setup.py"), is_aside("src/a/train.py")
    (True, True, False)
    """
    folders = path.split("/")[:-1]
    return bool(_ASIDE_FOLDERS & set(folders)) or _ASIDE_FILES.fullmatch(posixpath.basename(path)) is not None


def role_of(script: Script, *, trains: bool) -> Role:
    """``trains`` says whether it or a module of the project that it imports fits something."""
    words = words_of(script.path)
    makes_a_model = trains and script.saves
    if script.serves and not makes_a_model:
        return "serve"
    if words & {*_PREPARE, *_LATER} and not words & set(_TRAIN):
        return "prepare"
    if words & {*_EVALUATE, *_LOOK} and not words & {"train", "training", "fit"} and not makes_a_model:
        return "evaluate"
    if words & set(_SERVE) and not makes_a_model:
        return "serve"
    if trains:
        return "train"
    return "fetch" if words & set(_FETCH) else "other"


def words_of(path: str) -> set[str]:
    """The words of a file's name; of ``__main__.py``, its folder's."""
    stem = posixpath.splitext(posixpath.basename(path))[0]
    if stem == "__main__":
        stem = posixpath.basename(posixpath.dirname(path))
    return set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stem).lower()))


def number_of(path: str) -> int | None:
    """The number that a file's name begins with.

    >>> number_of("src/02_train.py"), number_of("train.py")
    (2, None)
    """
    found = re.match(r"(\d{1,3})[-_. ]", posixpath.basename(path))
    return int(found[1]) if found else None


def rank_of(path: str) -> int:
    """How early a name says that a script comes: fetch, prepare, split and features, train.

    >>> sorted(["train.py", "features.py", "clean.py", "download.py"], key=rank_of)
    ['download.py', 'clean.py', 'features.py', 'train.py']
    """
    words = words_of(path)
    groups = (_TRAIN, _LATER, _PREPARE, _FETCH)
    return min((len(groups) - 1 - place for place, group in enumerate(groups) if words & set(group)), default=2)


def stage_name(path: str) -> str:
    """The name of the stage that runs a script.

    >>> stage_name("src/churn/__main__.py"), stage_name("01_prepare data.py"), stage_name("train.py")
    ('churn', 'prepare-data', 'train')
    """
    stem = posixpath.splitext(posixpath.basename(path))[0]
    if stem == "__main__":
        stem = posixpath.basename(posixpath.dirname(path))
    stem = re.sub(r"^\d{1,3}[-_. ]+", "", stem)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64] or "stage"

from __future__ import annotations

from collections.abc import Iterator

import pytest
from watched_script import Watcher


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watcher]:
    watcher = Watcher(tmp_path_factory.mktemp("watched"))
    yield watcher
    watcher.close()

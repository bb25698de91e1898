"""Signing and auditing stay light: they run where serving runs."""

from __future__ import annotations

import subprocess
import sys


def test_attest_and_audit_import_nothing_heavy() -> None:
    script = (
        "import sys, mintage.attest.oms, mintage.attest.seal, mintage.attest.trust, mintage.audit.log\n"
        "heavy = {'numpy', 'rich', 'onnx', 'onnxruntime', 'pyarrow', 'scipy', 'sqlalchemy', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ended.stdout == "[]\n"

"""``python -m mintage.serve --dir ENVDIR``: run the gateway of one environment in the foreground.

Exit codes: 0 ended as asked, 1 failed, 2 wrong usage, 75 the port or the environment is taken (EX_TEMPFAIL).
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from mintage.errors import BusyError, MintageError, UsageError

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the gateway; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mintage.serve", description="Serve one environment's models")
    parser.add_argument("--dir", required=True, type=Path, metavar="ENVDIR", help="the environment's folder")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", default=0, type=int, help="port to listen on; 0 takes a free one")
    parser.add_argument("--flush-seconds", default=10.0, type=float, help="how often predictions go to Parquet")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535 or not options.flush_seconds > 0:
        parser.error("a port is 0 to 65535, and --flush-seconds is positive")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("mintage.serve").setLevel(logging.INFO)
    try:
        from mintage.serve.gateway import run

        run(options.dir.resolve(), options.host, options.port, flush_s=options.flush_seconds)
    except MintageError as error:
        _print(error)
        return 75 if isinstance(error, BusyError) else 2 if isinstance(error, UsageError) else 1
    return 0


def _print(error: MintageError) -> None:
    lines = [f"error[{error.code}]: {error.message}"]
    facts = [f"{word} {part}" for word, part in (("expected", error.expected), ("found", error.found)) if part]
    if facts or error.where:
        lines.append("  " + ", ".join(facts) + (f" ({error.where})" if error.where else ""))
    if error.hint:
        lines.append(f"hint: {error.hint}")
    sys.stderr.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())

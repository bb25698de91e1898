"""``python -m mintage``: the command line."""

from mintage.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())

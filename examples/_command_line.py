"""The command-line option of most examples: a file for a picture."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path


def picture_file(description: str, argv: list[str] | None) -> Path | None:
    """Return the file that ``--plot FILE`` names, or None without that option.

    Parameters
    ----------
    description : str
        The docstring of the example, which ``--help`` prints.
    argv : list of str or None
        Arguments to parse; None means the arguments of the command line.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a picture")
    file: Path | None = parser.parse_args(argv).plot
    check_can_draw(file)
    return file


def check_can_draw(file: Path | None) -> None:
    """Exit now, rather than after everything has been trained, without matplotlib."""
    if file is None:
        return
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        sys.exit("--plot needs matplotlib: pip install matplotlib")

"""Check that text files are tidy and that no file is large.

python .ci/check_files.py [FILE ...]

Without files, all that git tracks are checked. Prints what is wrong, one a line.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

MAX_BYTES = 500_000
BINARY = {".png", ".npz", ".joblib"}
MARKERS = (b"<<<<<<< ", b">>>>>>> ")


def problems(path: Path) -> list[str]:
    """Return what is wrong with one file."""
    content = path.read_bytes()
    found = []
    if len(content) > MAX_BYTES:
        found.append(f"{len(content)} bytes, more than {MAX_BYTES}")
    if path.suffix in BINARY:
        return found
    if b"\r" in content:
        found.append("a carriage return; lines end in a newline alone")
    if content and (not content.endswith(b"\n") or content.endswith(b"\n\n")):
        found.append("must end in exactly one newline")
    for number, line in enumerate(content.splitlines(), start=1):
        if line != line.rstrip():
            found.append(f"line {number} ends in spaces")
        if line.startswith(MARKERS):
            found.append(f"line {number} is a conflict marker")
    if path.suffix == ".toml":
        try:
            tomllib.loads(content.decode())
        except ValueError as error:
            found.append(f"is not TOML: {error}")
    return found


def main() -> int:
    """Check the named files, or all."""
    names = sys.argv[1:]
    if not names:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], capture_output=True, text=True, check=True
        )
        names = listed.stdout.rstrip("\0").split("\0")
    wrong = [
        f"{name}: {problem}"
        for name in names
        if Path(name).is_file()
        for problem in problems(Path(name))
    ]
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

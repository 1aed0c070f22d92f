"""Every Python block of the README runs, one after the other."""

import re
import warnings
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def python_blocks(text):
    """Yield the code of each block, at its own line numbers."""
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S):
        line = text.count("\n", 0, match.start(1))
        yield "\n" * line + match[1]


def test_python_blocks_run(capsys):
    text = README.read_text(encoding="utf-8")
    blocks = list(python_blocks(text))
    assert len(blocks) >= 8
    namespace = {"__name__": "readme"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks:
            exec(compile(block, str(README), "exec"), namespace)
    # The table shown under "Looking inside" is the one that the block prints.
    assert namespace["inside"].summary() in text
    assert namespace["inside"].summary() in capsys.readouterr().out

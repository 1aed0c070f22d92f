"""What a table of foreign words consists of, and advice that several tables share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Advice: TypeAlias = str | tuple[str, ...]
Words: TypeAlias = Mapping[str, Advice]

# Stands for any number in the tables of values.
NUMBER = "<number>"

NO_GPU = "Computation is on the CPU; set n_jobs for the number of threads."
PENALTY = "The penalty belongs to the estimator: set alpha."
RANDOMNESS = "Randomness belongs to the estimator: set random_state there."

"""A device for `qsubnet judge --provider exec`: jobs come on stdin, counts go to stdout.

It is an exact simulator; an argument such as 0.02 flips every bit that is read with that chance.
"""

import json
import sys

import numpy as np

from circuits.counts import Counts
from circuits.errors import CircuitError
from circuits.parsing import parse
from providers.dense import probabilities

flip = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
rng = np.random.default_rng(2026)


def run(source: str, shots: int) -> dict[str, int]:
    """Draw shots of one program; classical bit 0 is the rightmost character of a bitstring."""
    law = probabilities(parse(source))
    weights = np.array(list(law.values()))
    drawn = rng.choice(list(law), size=shots, p=weights / weights.sum())
    rows = np.array([[bit == "1" for bit in reversed(key)] for key in drawn])
    return dict(Counts.from_rows(rows ^ (rng.random(rows.shape) < flip)).table)


for line in sys.stdin:  # until the input ends
    job = json.loads(line)
    try:
        answer = {"counts": run(job["program"]["source"], job["shots"])}
    except CircuitError as error:
        answer = {"error": str(error)}
    print(json.dumps({"id": job["id"], **answer}), flush=True)

"""A device behind `--provider exec`: questions come on stdin, counts go to stdout.

It needs Qiskit and Aer only, so it can live in an environment of its own.
"""

import json
import sys

from qiskit import qasm2
from qiskit_aer import AerSimulator

backend = AerSimulator()

for line in sys.stdin:  # until the input ends
    job = json.loads(line)
    try:
        circuit = qasm2.loads(
            job["program"]["source"], custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS
        )
        counts = backend.run(circuit, shots=job["shots"]).result().get_counts()
        answer = {"counts": dict(counts)}  # one register: Qiskit's order is ours
    except Exception as error:  # noqa: BLE001 - what cannot be run is answered in words
        answer = {"error": str(error)}
    print(json.dumps({"id": job["id"], **answer}), flush=True)

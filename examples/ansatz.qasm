// One step of a variational ansatz with a gate of its own, in OpenQASM 3.
OPENQASM 3.0;
include "stdgates.inc";
gate layer(a, b) x, y { ry(a) x; ry(b) y; cx x, y; }
qubit[4] q;
bit[4] c;
layer(0.3, 0.7) q[0], q[1];
layer(1.1, 0.2) q[2], q[3];
layer(0.5, 0.9) q[1], q[2];
c = measure q;

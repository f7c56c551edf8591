// Phase estimation of 3/8 by an inverse QFT: the only answer is 011, so a wrong bit order shows.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
h q;
p(3 * pi / 4) q[0];
p(3 * pi / 2) q[1];
p(3 * pi) q[2];
h q[2];
cp(-pi / 2) q[2], q[1];
h q[1];
cp(-pi / 4) q[2], q[0];
cp(-pi / 2) q[1], q[0];
h q[0];
c[0] = measure q[2];
c[1] = measure q[1];
c[2] = measure q[0];

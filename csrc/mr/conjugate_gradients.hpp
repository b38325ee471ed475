// One step of conjugate gradients on (Q + regularization) x = b for a batch of independent systems,
// in three passes over the vectors that need nothing from the host:
//   q += regularization p;  pq = <p, q>                       (curvature)
//   a = rr / pq;  x += a p;  r -= a q;  new = <r, r>          (step)
//   p = r + (new / rr) p;  rr = new                           (turn)
// `state` [batch][3] = rr, pq, new, in double precision. A system whose rr or pq is not positive
// (solved, or p in the null space) stands still.
// Reference: M. R. Hestenes and E. Stiefel, J. Res. Natl. Bur. Stand. 49 (1952),
// doi:10.6028/jres.049.044.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// Vectors are [batch][n] reals.
template <class T>
void cg_curvature(const T *p, double regularization, i64 batch, i64 n, T *q, double *state);
template <class T>
void cg_step(const T *p, const T *q, i64 batch, i64 n, T *x, T *r, double *state);
template <class T> void cg_turn(const T *r, i64 batch, i64 n, T *p, double *state);

} // namespace pyrad

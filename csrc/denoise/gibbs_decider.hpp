// Choice between shifts of one sample in double precision.
#pragma once

#include "denoise/gibbs_math.hpp"

#include <vector>

namespace pyrad::gibbs {

class Decider {
  public:
    Decider(i64 length, const Search &search);

    // Value at sample l by that shift next to j or k which ripples least there; of a complex line x
    // holds all real parts, then all imaginary ones, and value both.
    void better(const double *x, i64 l, int j, int k, double *value) const;

    const Search search;

  private:
    double shifted(const double *x, i64 l, int j) const;
    double ripple(const double *x, i64 l, int j) const;

    i64 length_;
    std::vector<double> kernels_; // [2 shifts + 1][2 length]: periodic sincs, turned round, twice
};

} // namespace pyrad::gibbs

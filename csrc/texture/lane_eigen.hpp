// Largest absolute eigenvalues of eight small symmetric matrices at a time, one per vector lane.
// Formulas: eigen_math.hpp. A matrix has the same result whatever its neighbours are.
#pragma once

#include "base/portable.hpp"

#include <vector>

namespace pyrad {

constexpr int eigen_lanes = 8;

// One number of each matrix.
struct alignas(eigen_lanes * sizeof(double)) EigenLanes {
    double lane[eigen_lanes];
};

// Matrices of different sizes wait in groups of about equal size until a group is full.
class EigenQueue {
  public:
    explicit EigenQueue(double bound) : bound_(bound) {} // no eigenvalue is larger

    // The lower triangle of a matrix of this size, which the caller fills before the next call;
    // its largest absolute eigenvalue goes to *result, by flush() at the latest.
    class Matrix {
      public:
        Matrix(double *lane, i32 row) : lane_(lane), row_(row) {}
        double &operator()(i32 i, i32 j) const { return lane_[(i * row_ + j) * eigen_lanes]; }

      private:
        double *lane_;
        i32 row_;
    };
    Matrix add(i32 size, double *result);
    void flush();

  private:
    struct Group {
        std::vector<EigenLanes> matrix;
        double *results[eigen_lanes];
        int filled = 0;
    };
    void solve(Group &group, i32 n);

    double bound_;
    std::vector<Group> groups_; // one per size, which is rounded up
    std::vector<EigenLanes> diagonal_, off_;
};

} // namespace pyrad

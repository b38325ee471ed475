// Maximal correlation coefficients of eight small co-occurrence tables at a time, one per vector
// lane: the largest absolute eigenvalue of D^-1/2 P D^-1/2 beside the trivial one (eigen.inl). A
// table has the same result whatever its neighbours are.
#pragma once

#include "base/portable.hpp"

#include <vector>

namespace pyrad {

constexpr int eigen_lanes = 8;

// One number of each table.
struct alignas(eigen_lanes * sizeof(double)) EigenLanes {
    double lane[eigen_lanes];
};

// Tables of different sizes wait in groups of about equal size until a group is full.
class EigenQueue {
  public:
    explicit EigenQueue(double bound) : bound_(bound) {} // no eigenvalue is larger

    // A table that waits, to be filled before the next call of add(): the counts (i, j <= i) of the
    // symmetric table at i * row + j, and the square roots of its marginals, `eigen_lanes` apart.
    // A row may be written 32 numbers wide, if rows follow in ascending order.
    struct Table {
        float *count;
        double *root;
        i32 row;
    };
    // total: of all cells of the symmetric table. *result is written by flush() at the latest.
    Table add(i32 size, double total, double *result);
    void flush();

  private:
    struct Group {
        std::vector<float> counts; // of eight tables
        std::vector<EigenLanes> roots;
        EigenLanes total;
        double *results[eigen_lanes];
        int filled = 0;
    };
    void solve(Group &group, i32 n);

    double bound_;
    std::vector<Group> groups_; // one per size, which is rounded up
    std::vector<EigenLanes> work_;
};

} // namespace pyrad

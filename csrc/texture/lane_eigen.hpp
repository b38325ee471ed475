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

    // A table that waits: the square roots of its marginals, and those cells (i, j <= i) that are
    // not 0, as they stand in the symmetric table.
    struct Table {
        double *root;
        i32 *place, *count; // places are i * row + j
        i32 row;
        i64 cells = 0; // how many
    };
    // The caller fills the table before the next call. total: of all cells of the symmetric table.
    // *result is written by flush() at the latest.
    Table &add(i32 size, double total, double *result);
    void flush();

  private:
    struct Waiting {
        Table table;
        i32 size;
        double total, *result;
        std::vector<double> root;
        std::vector<i32> place, count;
    };
    struct Group {
        Waiting tables[eigen_lanes];
        int filled = 0;
    };
    void solve(Group &group, i32 n);

    double bound_;
    std::vector<Group> groups_;             // one per size, which is rounded up
    std::vector<EigenLanes> counts_, work_; // counts are 0 between calls
};

} // namespace pyrad

// Maximal correlation coefficients of small co-occurrence tables: the largest absolute eigenvalue
// of D^-1/2 P D^-1/2 beside the trivial one (eigen.inl), of many tables at a time, one per lane of
// a vector register. Sixteen tables are solved in single precision for the eigenvector, whose
// Rayleigh quotient in double precision is off by the square of its residual over the gap to the
// next eigenvalue (Parlett, The Symmetric Eigenvalue Problem, theorem 11.7.1). Where that
// may exceed 1e-10, eight tables at a time are solved in double precision. A table has the same
// result whatever its neighbours are.
#pragma once

#include "base/portable.hpp"

#include <vector>

namespace pyrad {

// Tables of different sizes wait in groups of about equal size until a group is full.
class EigenQueue {
  public:
    explicit EigenQueue(double bound) : bound_(bound) {} // no eigenvalue is larger

    // A table that waits, to be filled before the next call of add(): the counts of the symmetric
    // table at i * row + j, the square roots of its marginals and their inverses. A row may be
    // written 32 numbers wide, if rows follow in ascending order.
    struct Table {
        float *count;
        double *root, *inverse;
        i32 row;
    };
    // total: of all cells of the symmetric table. *result is written by flush() at the latest.
    Table add(i32 size, double total, double *result);
    void flush();

  private:
    struct Waiting {
        i32 size;
        double total, *result;
    };
    struct alignas(64) Lanes { // a register in memory
        unsigned char bytes[64];
    };
    // Arrays hold a part for each table.
    struct Group {
        std::vector<float> counts;
        std::vector<Lanes> roots, inverses;
        std::vector<Waiting> tables;
    };
    Table at(Group &group, i32 row, size_t t) const;
    Table append(Group &group, i32 n, const Waiting &waiting);
    template <class Vector, class Solve> void in_lanes(Group &group, i32 n, Solve solve);
    void try_single(size_t index);
    void doubt(size_t index, const Waiting &waiting, const Table &table);
    void solve_double(size_t index);

    double bound_;
    std::vector<Group> groups_, doubtful_; // one per size, which is rounded up
    std::vector<Lanes> work_, line_;
};

} // namespace pyrad

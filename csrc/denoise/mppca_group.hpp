// Neighbouring windows along x, one per lane: their matrices from the samples, and voxels in and
// out.
#pragma once

#include "denoise/mppca.hpp"
#include "denoise/mppca_lanes.hpp"

#include <vector>

namespace pyrad::mppca {

// As long as the longest register, and aligned like it.
struct alignas(64) Eight {
    double numbers[8];
};

template <class T> class Group {
  public:
    Group(const Series<T> &series, const Rule &rule, bool averaging);

    // Windows from kx on; active lanes are those from `first` on that exist. Forgets the rows.
    void move_to(i64 kz, i64 kx, i64 first);
    int lanes() const { return lanes_; }
    bool active(int lane) const { return lane >= first_ && kx_ + lane < series_.axis[2].count; }
    // Decomposes the windows at row ky of windows.
    void decompose(i64 ky);

    // Column of `lane` at this place along x within the image, projected: result().
    void project(i64 z, i64 y, const i64 (&x)[most_lanes]);
    // [volume][part][lane]
    const double *result() const { return result_; }
    const Work &work() const { return work_; }

  private:
    void make_row(i64 y);
    void gather_dense(i64 ky);
    void load(i64 z, i64 y, const i64 (&x)[most_lanes], double *to) const;

    const Series<T> &series_;
    Rule rule_;
    Solver solver_;
    const int lanes_;
    bool averaging_, dense_; // dense: voxels are fewer than volumes
    i64 kz_ = 0, ky_ = 0, kx_ = 0, first_ = 0, entries_;
    bool consecutive_ = false;
    int columns_ = 0;            // of a line that holds all windows
    int shift_[most_lanes] = {}; // of the windows within the line
    Work work_{};
    std::vector<Eight> memory_, ring_;
    std::vector<double> lines_, products_;
    std::vector<i64> ring_row_;
    double *samples_ = nullptr, *basis_ = nullptr, *result_ = nullptr, *unit_ = nullptr;
};

} // namespace pyrad::mppca

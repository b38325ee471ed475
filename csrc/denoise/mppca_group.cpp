#include "denoise/mppca_group.hpp"

#include "base/simd.hpp"

#include <algorithm>

namespace pyrad::mppca {
namespace {

// `count` samples of one line as doubles, one part after the other; zeros up to `columns`.
template <class T>
PYRAD_CLONES void widen(const T *from, i64 count, int parts, i64 columns, double *to) {
    for (int part = 0; part < parts; ++part, to += columns) {
        if (parts == 1)
            for (i64 i = 0; i < count; ++i)
                to[i] = from[i];
        else
            for (i64 i = 0; i < count; ++i)
                to[i] = from[2 * i + part];
        std::fill(to + count, to + columns, 0.0);
    }
}

} // namespace

template <class T>
Group<T>::Group(const Series<T> &series, const Rule &rule, bool averaging)
    : series_(series), rule_(rule), solver_(solver()), lanes_(solver_.lanes),
      averaging_(averaging) {
    const i64 voxels = series.window(), parts = series.parts;
    dense_ = series.volumes > voxels;
    const i64 n = dense_ ? voxels : series.volumes;
    entries_ = n * (n + 1) / 2 * parts;
    const i64 sizes[] = {entries_,
                         n,
                         2 * n,
                         n,
                         n,
                         n,
                         n,
                         n * n,
                         n,
                         n * parts,
                         n * parts,
                         n,
                         dense_ ? voxels * series.volumes * parts : 0,
                         averaging ? n * n * parts : 0,
                         std::max<i64>(n, series.volumes) * parts,
                         n * parts};
    i64 total = 0;
    for (i64 size : sizes)
        total += size;
    memory_.resize((total * lanes_ + 7) / 8);
    work_.n = static_cast<int>(n);
    work_.parts = static_cast<int>(parts);
    double **const users[] = {&work_.matrix, &work_.beta,    &work_.phase,  &work_.diagonal,
                              &work_.off,    &work_.squares, &work_.values, &work_.vectors,
                              &work_.unused, &work_.first,   &work_.second, &work_.weights,
                              &samples_,     &basis_,        &result_,      &unit_};
    double *next = memory_.data()->numbers;
    for (size_t i = 0; i < std::size(users); next += sizes[i++] * lanes_)
        *users[i] = next;
    if (!dense_) {
        ring_.resize((series.axis[1].width * entries_ * lanes_ + 7) / 8);
        ring_row_.resize(series.axis[1].width);
    }
}

template <class T> void Group<T>::move_to(i64 kz, i64 kx, i64 first) {
    kz_ = kz;
    kx_ = kx;
    first_ = first;
    std::fill(ring_row_.begin(), ring_row_.end(), -1);
    const Axis &axis = series_.axis[2];
    consecutive_ = true;
    for (int lane = 0; lane < lanes_; ++lane) {
        const i64 k = std::min(kx + lane, axis.count - 1);
        shift_[lane] = static_cast<int>(axis.origins[k] - axis.origins[kx]);
        consecutive_ = consecutive_ && (kx + lane >= axis.count || shift_[lane] == lane);
    }
    const int reach =
        (consecutive_ ? lanes_ - 1 : shift_[lanes_ - 1]) + static_cast<int>(axis.width);
    columns_ = (reach + lanes_ - 1) / lanes_ * lanes_;
    if (!dense_) {
        lines_.resize(series_.axis[0].width * work_.n * work_.parts * columns_);
        products_.resize(entries_ * columns_);
    }
}

// Products of row y of the image, summed over the windows' planes and columns.
template <class T> void Group<T>::make_row(i64 y) {
    const Axis &z_axis = series_.axis[0], &x_axis = series_.axis[2];
    const i64 ny = series_.axis[1].size, nx = x_axis.size, x = x_axis.origins[kx_];
    const i64 count = std::min<i64>(columns_, nx - x), parts = series_.parts;
    double *to = lines_.data();
    for (i64 z = 0; z < z_axis.width; ++z)
        for (i64 v = 0; v < work_.n; ++v, to += parts * columns_) {
            const i64 at = ((v * z_axis.size + z_axis.origins[kz_] + z) * ny + y) * nx + x;
            widen(series_.samples + parts * at, count, series_.parts, columns_, to);
        }
    solver_.line_products(lines_.data(), static_cast<int>(z_axis.width), work_.n, work_.parts,
                          columns_, products_.data());
    const i64 slot = y % static_cast<i64>(ring_row_.size());
    double *sums = ring_.data()->numbers + slot * entries_ * lanes_;
    const int width = static_cast<int>(x_axis.width);
    ring_row_[slot] = y;
    if (consecutive_) {
        solver_.column_sums(products_.data(), entries_, columns_, width, sums);
        return;
    }
    for (i64 e = 0; e < entries_; ++e)
        for (int lane = 0; lane < lanes_; ++lane) {
            const double *from = products_.data() + e * columns_ + shift_[lane];
            double sum = 0;
            for (int k = 0; k < width; ++k)
                sum += from[k];
            sums[e * lanes_ + lane] = sum;
        }
}

// samples_[voxel of the window][volume]
template <class T> void Group<T>::gather_dense(i64 ky) {
    const Axis *axis = series_.axis;
    double *to = samples_;
    for (i64 z = 0; z < axis[0].width; ++z)
        for (i64 y = 0; y < axis[1].width; ++y)
            for (i64 x = 0; x < axis[2].width;
                 ++x, to += lanes_ * series_.volumes * series_.parts) {
                i64 at[most_lanes];
                for (int lane = 0; lane < lanes_; ++lane)
                    at[lane] = axis[2].origins[kx_] + shift_[lane] + x;
                load(axis[0].origins[kz_] + z, axis[1].origins[ky] + y, at, to);
            }
}

template <class T> void Group<T>::decompose(i64 ky) {
    ky_ = ky;
    if (dense_) {
        gather_dense(ky);
        solver_.dense_gram(samples_, work_.n, series_.volumes, work_.parts, work_.matrix);
    } else {
        const Axis &axis = series_.axis[1];
        const i64 width = axis.width;
        std::vector<const double *> rows(width);
        for (i64 i = 0; i < width; ++i) {
            const i64 y = axis.origins[ky] + i;
            if (ring_row_[y % width] != y)
                make_row(y);
            rows[i] = ring_.data()->numbers + y % width * entries_ * lanes_;
        }
        solver_.row_sums(rows.data(), static_cast<int>(width), entries_, work_.matrix);
    }
    solver_.decompose(work_, rule_);
    if (averaging_)
        solver_.basis(work_, basis_);
}

// to[volume][part] of the voxels (z, y, x[lane]).
template <class T> void Group<T>::load(i64 z, i64 y, const i64 (&x)[most_lanes], double *to) const {
    const i64 nx = series_.axis[2].size, parts = series_.parts, volume = series_.voxels() * parts;
    const T *row = series_.samples + (z * series_.axis[1].size + y) * nx * parts;
    for (i64 v = 0; v < series_.volumes; ++v, row += volume)
        for (i64 part = 0; part < parts; ++part, to += lanes_)
            for (int lane = 0; lane < lanes_; ++lane)
                to[lane] = row[x[lane] * parts + part];
}

template <class T> void Group<T>::project(i64 z, i64 y, const i64 (&x)[most_lanes]) {
    double *const column = dense_ ? unit_ : result_;
    if (dense_) { // the projection of the voxel's unit vector mixes the window's voxels
        const Axis *axis = series_.axis;
        std::fill(unit_, unit_ + work_.n * work_.parts * lanes_, 0.0);
        const i64 row =
            ((z - axis[0].origins[kz_]) * axis[1].width + y - axis[1].origins[ky_]) * axis[2].width;
        for (int lane = 0; lane < lanes_; ++lane) {
            const i64 at = row + x[lane] - axis[2].origins[kx_] - shift_[lane];
            unit_[at * work_.parts * lanes_ + lane] = 1;
        }
    } else {
        load(z, y, x, result_);
    }
    if (averaging_)
        solver_.project_by_basis(work_, basis_, column);
    else
        solver_.project(work_, column);
    if (dense_)
        solver_.mix(samples_, work_.n, series_.volumes, work_.parts, unit_, result_);
}

template class Group<float>;
template class Group<double>;

} // namespace pyrad::mppca

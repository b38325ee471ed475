// Runs of windows along y, a few side by side in x (mppca_group.hpp), are the tiles.
#include "denoise/mppca.hpp"

#include "base/pool.hpp"
#include "denoise/mppca_group.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace pyrad::mppca {
namespace {

constexpr i64 run = 32; // windows along y of one tile

i64 ceil_div(i64 a, i64 b) { return (a + b - 1) / b; }

// One group per worker, made when it is first needed.
template <class T> class Groups {
  public:
    Groups(const Series<T> &series, const Rule &rule, bool averaging)
        : series_(series), rule_(rule), averaging_(averaging), groups_(max_workers()) {}

    Group<T> &operator[](int worker) {
        auto &group = groups_[worker];
        if (!group)
            group = std::make_unique<Group<T>>(series_, rule_, averaging_);
        return *group;
    }

  private:
    const Series<T> &series_;
    Rule rule_;
    bool averaging_;
    std::vector<std::unique_ptr<Group<T>>> groups_;
};

// The last group begins early enough to be full; lanes that belong to the one before are idle.
template <class T> void enter(Group<T> &group, i64 kz, i64 x_group, i64 count) {
    const i64 lanes = group.lanes();
    const i64 wanted = x_group * lanes, kx = std::max<i64>(0, std::min(wanted, count - lanes));
    group.move_to(kz, kx, wanted - kx);
}

struct Box {
    i64 low[3], high[3]; // [low, high)

    template <class T> bool holds_any(const Series<T> &series) const {
        if (!series.mask)
            return true;
        for (i64 z = low[0]; z < high[0]; ++z)
            for (i64 y = low[1]; y < high[1]; ++y) {
                const u8 *row = series.mask + (z * series.axis[1].size + y) * series.axis[2].size;
                if (std::any_of(row + low[2], row + high[2], [](u8 m) { return m != 0; }))
                    return true;
            }
        return false;
    }
};

// Results of one row of voxels, one per lane.
template <class T> struct Writer {
    const Series<T> &series;
    const Maps<T> &maps;

    i64 place(i64 z, i64 y, i64 x) const {
        return (z * series.axis[1].size + y) * series.axis[2].size + x;
    }

    void store(const Group<T> &group, i64 z, i64 y, const i64 (&x)[most_lanes],
               const bool (&wanted)[most_lanes]) const {
        const Work &work = group.work();
        const i64 parts = series.parts, volume = series.voxels() * parts;
        bool take[most_lanes];
        for (int lane = 0; lane < group.lanes(); ++lane) {
            const i64 at = place(z, y, x[lane]);
            take[lane] = wanted[lane] && !(series.mask && !series.mask[at]);
            if (take[lane]) {
                maps.sigma[at] = static_cast<T>(std::sqrt(work.variance[lane] / parts));
                maps.rank[at] = static_cast<T>(work.rank[lane]);
            }
        }
        const double *from = group.result();
        T *to = maps.out + place(z, y, 0) * parts;
        for (i64 v = 0; v < series.volumes; ++v, to += volume)
            for (i64 part = 0; part < parts; ++part, from += group.lanes())
                for (int lane = 0; lane < group.lanes(); ++lane)
                    if (take[lane])
                        to[x[lane] * parts + part] = static_cast<T>(from[lane]);
    }

    // The voxels that the windows at (kz, ky) answer for.
    void centres(Group<T> &group, i64 kz, i64 ky, i64 kx) const {
        const Axis *axis = series.axis;
        i64 most = 0, first[most_lanes], count[most_lanes];
        for (int lane = 0; lane < group.lanes(); ++lane) {
            const i64 k = std::min(kx + lane, axis[2].count - 1);
            first[lane] = axis[2].owned[k];
            count[lane] = group.active(lane) ? axis[2].owned[k + 1] - first[lane] : 0;
            most = std::max(most, count[lane]);
        }
        for (i64 z = axis[0].owned[kz]; z < axis[0].owned[kz + 1]; ++z)
            for (i64 y = axis[1].owned[ky]; y < axis[1].owned[ky + 1]; ++y)
                for (i64 t = 0; t < most; ++t) {
                    i64 x[most_lanes];
                    bool wanted[most_lanes];
                    for (int lane = 0; lane < group.lanes(); ++lane) {
                        wanted[lane] = t < count[lane];
                        x[lane] = first[lane] + (wanted[lane] ? t : 0);
                    }
                    group.project(z, y, x);
                    store(group, z, y, x, wanted);
                }
    }
};

// Sums over windows; `weight` beside the maps.
template <class T> struct Averages {
    const Series<T> &series;
    const Maps<T> &maps;
    std::vector<double> weight;

    void add(Group<T> &group, i64 kz, i64 ky, i64 kx) {
        const Axis *axis = series.axis;
        const i64 parts = series.parts, volume = series.voxels() * parts;
        const Work &work = group.work();
        double share[most_lanes];
        for (int lane = 0; lane < group.lanes(); ++lane)
            share[lane] = group.active(lane) ? 1 / (1 + work.rank[lane]) : 0;
        for (i64 wz = 0; wz < axis[0].width; ++wz)
            for (i64 wy = 0; wy < axis[1].width; ++wy)
                for (i64 wx = 0; wx < axis[2].width; ++wx) {
                    const i64 z = axis[0].origins[kz] + wz, y = axis[1].origins[ky] + wy;
                    i64 x[most_lanes];
                    for (int lane = 0; lane < group.lanes(); ++lane)
                        x[lane] = axis[2].origins[std::min(kx + lane, axis[2].count - 1)] + wx;
                    group.project(z, y, x);
                    const i64 row = (z * axis[1].size + y) * axis[2].size;
                    for (int lane = 0; lane < group.lanes(); ++lane) {
                        if (!group.active(lane))
                            continue;
                        const i64 at = row + x[lane];
                        const double s = share[lane];
                        weight[at] += s;
                        maps.sigma[at] += static_cast<T>(s * work.variance[lane] / parts);
                        maps.rank[at] += static_cast<T>(s * work.rank[lane]);
                    }
                    const double *from = group.result();
                    for (i64 v = 0; v < series.volumes; ++v)
                        for (i64 part = 0; part < parts; ++part, from += group.lanes()) {
                            T *to = maps.out + v * volume + part;
                            for (int lane = 0; lane < group.lanes(); ++lane)
                                if (group.active(lane))
                                    to[(row + x[lane]) * parts] +=
                                        static_cast<T>(share[lane] * from[lane]);
                        }
                }
    }

    void divide() {
        const i64 voxels = series.voxels(), parts = series.parts;
        parallel_for(voxels, 4096, [&](i64 begin, i64 end, int) {
            for (i64 at = begin; at < end; ++at) {
                const bool keep = series.mask && !series.mask[at];
                maps.sigma[at] =
                    keep ? T(0) : static_cast<T>(std::sqrt(maps.sigma[at] / weight[at]));
                maps.rank[at] = keep ? T(0) : static_cast<T>(maps.rank[at] / weight[at]);
            }
            for (i64 v = 0; v < series.volumes; ++v)
                for (i64 i = begin * parts; i < end * parts; ++i) {
                    const i64 at = v * voxels * parts + i;
                    const bool keep = series.mask && !series.mask[i / parts];
                    maps.out[at] = keep ? series.samples[at]
                                        : static_cast<T>(maps.out[at] / weight[i / parts]);
                }
        });
    }
};

} // namespace

template <class T> void by_centre(const Series<T> &series, const Rule &rule, const Maps<T> &maps) {
    const Axis *axis = series.axis;
    const i64 lanes = solver().lanes;
    const i64 x_groups = ceil_div(axis[2].count, lanes), runs = ceil_div(axis[1].count, run);
    Groups<T> groups(series, rule, false);
    const Writer<T> writer{series, maps};
    parallel_for(axis[0].count * runs * x_groups, 1, [&](i64 begin, i64 end, int worker) {
        Group<T> &group = groups[worker];
        for (i64 tile = begin; tile < end; ++tile) {
            const i64 kz = tile / (runs * x_groups), part = tile / x_groups % runs;
            const i64 wanted = tile % x_groups * lanes;
            const i64 kx = std::max<i64>(0, std::min(wanted, axis[2].count - lanes));
            const i64 last = std::min(wanted + lanes, axis[2].count);
            enter(group, kz, tile % x_groups, axis[2].count);
            for (i64 ky = part * run; ky < std::min((part + 1) * run, axis[1].count); ++ky) {
                const Box box{{axis[0].owned[kz], axis[1].owned[ky], axis[2].owned[wanted]},
                              {axis[0].owned[kz + 1], axis[1].owned[ky + 1], axis[2].owned[last]}};
                if (!box.holds_any(series))
                    continue;
                group.decompose(ky);
                writer.centres(group, kz, ky, kx);
                poll();
            }
        }
    });
}

// Tiles of one colour share no voxel: between two of them lies one of another colour, at least as
// long as a window is wide.
template <class T> void by_average(const Series<T> &series, const Rule &rule, const Maps<T> &maps) {
    const Axis *axis = series.axis;
    const i64 lanes = solver().lanes;
    const i64 x_groups = ceil_div(axis[2].count, lanes);
    const i64 across = ceil_div(axis[2].width, lanes), along = std::max(run, axis[1].width);
    const i64 x_tiles = ceil_div(x_groups, across), y_tiles = ceil_div(axis[1].count, along);
    Groups<T> groups(series, rule, true);
    Averages<T> averages{series, maps, std::vector<double>(series.voxels())};
    std::fill(maps.out, maps.out + series.volumes * series.voxels() * series.parts, T(0));
    std::fill(maps.sigma, maps.sigma + series.voxels(), T(0));
    std::fill(maps.rank, maps.rank + series.voxels(), T(0));
    for (i64 colour = 0; colour < 4; ++colour) {
        const i64 odd_y = colour / 2, odd_x = colour % 2;
        const i64 rows = (y_tiles + 1 - odd_y) / 2, columns = (x_tiles + 1 - odd_x) / 2;
        parallel_for(rows * columns, 1, [&](i64 begin, i64 end, int worker) {
            Group<T> &group = groups[worker];
            for (i64 tile = begin; tile < end; ++tile) {
                const i64 first_y = (tile / columns * 2 + odd_y) * along;
                const i64 first_x = (tile % columns * 2 + odd_x) * across;
                for (i64 kz = 0; kz < axis[0].count; ++kz)
                    for (i64 g = first_x; g < std::min(first_x + across, x_groups); ++g) {
                        const i64 wanted = g * lanes,
                                  last = std::min(wanted + lanes, axis[2].count) - 1;
                        const i64 kx = std::max<i64>(0, std::min(wanted, axis[2].count - lanes));
                        enter(group, kz, g, axis[2].count);
                        for (i64 ky = first_y; ky < std::min(first_y + along, axis[1].count);
                             ++ky) {
                            const i64 z = axis[0].origins[kz], y = axis[1].origins[ky];
                            const Box box{{z, y, axis[2].origins[wanted]},
                                          {z + axis[0].width, y + axis[1].width,
                                           axis[2].origins[last] + axis[2].width}};
                            if (!box.holds_any(series))
                                continue;
                            group.decompose(ky);
                            averages.add(group, kz, ky, kx);
                            poll();
                        }
                    }
            }
        });
    }
    averages.divide();
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void by_centre(const Series<T> &, const Rule &, const Maps<T> &);                     \
    template void by_average(const Series<T> &, const Rule &, const Maps<T> &);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)
#undef PYRAD_INSTANTIATE

} // namespace pyrad::mppca

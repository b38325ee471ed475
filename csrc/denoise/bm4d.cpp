// Collaborative filtering (BM3D, BM4D): each reference block is grouped with the blocks most alike,
// the group is filtered as one signal of one dimension more, and all estimates of a voxel are
// averaged,
//
//     out = sum w_g W(x - x_b) estimate_b(x) / sum w_g W(x - x_b),
//
// over all blocks b of all groups g, with a Kaiser window W. Dabov, Foi, Katkovnik, Egiazarian
// 2007, doi:10.1109/TIP.2007.901238 (squares); Maggioni, Katkovnik, Egiazarian, Foi 2013,
// doi:10.1109/TIP.2012.2210725 (cubes); noise with a spectrum: Makinen, Azzari, Foi 2020,
// doi:10.1109/TIP.2020.3014721.
//
// Tiles of reference blocks add to sums of their own, which are then added up in the order of the
// tiles: the same bits for any number of threads. The denominator is one number per block, and is
// folded with the window at the end.
#include "denoise/bm4d.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "denoise/bm4d_group.hpp"

#include <algorithm>
#include <vector>

namespace pyrad::bm4d {
namespace {

constexpr i64 wave = 64; // tiles with sums at a time

struct Box {
    Triple low, high; // high: behind the last
    i64 size() const { return (high[0] - low[0]) * (high[1] - low[1]) * (high[2] - low[2]); }
    i64 at(i64 z, i64 y, i64 x) const {
        return ((z - low[0]) * (high[1] - low[1]) + y - low[1]) * (high[2] - low[2]) + x - low[2];
    }
};

template <class T> PYRAD_CLONES void add(const T *__restrict x, T *__restrict out, i64 n) {
    for (i64 i = 0; i < n; ++i)
        out[i] += x[i];
}

template <class T>
PYRAD_CLONES void add_multiple(T factor, const T *__restrict x, T *__restrict out, i64 n) {
    for (i64 i = 0; i < n; ++i)
        out[i] += factor * x[i];
}

// Weighted estimates of the blocks of one tile, and their weights.
template <class T> struct Sums {
    Box box;
    std::vector<T> values, weights;
};

template <class T> class Filter {
  public:
    Filter(const T *image, const T *guide, const Stage<T> &stage)
        : stage_(stage), image_(padded(image)) {
        if (guide)
            guide_ = padded(guide);
        const i64 edge = stage.block[2];
        for (i64 z = 0; z < stage.block[0]; ++z)
            for (i64 y = 0; y < edge; ++y)
                for (i64 x = 0; x < edge; ++x)
                    window_[(z * edge + y) * edge + x] =
                        (stage.block[0] > 1 ? stage.window[z] : T(1)) * stage.window[y] *
                        stage.window[x];
        for (int d = 0; d < 3; ++d) {
            tile_[d] = stage.block[0] > 1 ? 8 : 16;
            tiles_[d] = (stage.count[d] + tile_[d] - 1) / tile_[d];
        }
        values_.resize(voxels_of(stage.size));
        weights_.resize(voxels_of(stage.size));
    }

    void run(T *out) {
        const i64 count = tiles_[0] * tiles_[1] * tiles_[2];
        std::vector<Sums<T>> sums(std::min(count, wave));
        for (i64 first = 0; first < count; first += wave) {
            const i64 tiles = std::min(wave, count - first);
            parallel_for(tiles, 1, [&](i64 at, i64, int) { run_tile(first + at, sums[at]); });
            merge(sums, tiles);
        }
        finish(out);
    }

  private:
    static i64 voxels_of(const Triple &n) { return n[0] * n[1] * n[2]; }

    std::vector<T> padded(const T *x) const {
        std::vector<T> copy(voxels_of(stage_.size) + match_rows * stage_.size[2] + margin);
        std::copy_n(x, voxels_of(stage_.size), copy.begin());
        return copy;
    }

    void run_tile(i64 tile, Sums<T> &sums) {
        const Triple at{tile / (tiles_[1] * tiles_[2]), tile / tiles_[2] % tiles_[1],
                        tile % tiles_[2]};
        Triple begin, end;
        for (int d = 0; d < 3; ++d) {
            begin[d] = at[d] * tile_[d];
            end[d] = std::min(begin[d] + tile_[d], stage_.count[d]);
            sums.box.low[d] = std::max<i64>(0, stage_.start[d][begin[d]] - stage_.search[d]);
            sums.box.high[d] = std::min(stage_.size[d], stage_.start[d][end[d] - 1] +
                                                            stage_.search[d] + stage_.block[d]);
        }
        sums.values.assign(sums.box.size(), T(0));
        sums.weights.assign(sums.box.size(), T(0));
        for (i64 z = begin[0]; z < end[0]; ++z)
            for (i64 y = begin[1]; y < end[1]; ++y) {
                poll();
                for (i64 x = begin[2]; x < end[2]; ++x) {
                    const T level = stage_.level[(z * stage_.count[1] + y) * stage_.count[2] + x];
                    if (level > 0)
                        run_reference({stage_.start[0][z], stage_.start[1][y], stage_.start[2][x]},
                                      level, sums);
                }
            }
    }

    void run_reference(Triple at, T level, Sums<T> &sums) {
        const T *guide = guide_.empty() ? nullptr : guide_.data();
        Group<T> group;
        find_group(guide ? guide : image_.data(), stage_, at, level, group);
        alignas(64) T estimates[largest_group * voxels];
        const T weight = filter_group(image_.data(), guide, stage_, group, level, estimates);
        T window[voxels];
        for (int v = 0; v < voxels; ++v)
            window[v] = weight * window_[v];
        for (int k = 0; k < group.count; ++k)
            add_block(group.at[k], estimates + k * voxels, window, weight, sums);
    }

    void add_block(i64 at, const T *estimate, const T *window, T weight, Sums<T> &sums) const {
        const i64 line = stage_.size[2], edge = stage_.block[2];
        const i64 z0 = at / (line * stage_.size[1]), y0 = at / line % stage_.size[1];
        const i64 x0 = at % line;
        sums.weights[sums.box.at(z0, y0, x0)] += weight;
        for (i64 z = 0; z < stage_.block[0]; ++z)
            for (i64 y = 0; y < edge; ++y, estimate += edge, window += edge) {
                T *to = &sums.values[sums.box.at(z0 + z, y0 + y, x0)];
                for (i64 x = 0; x < edge; ++x)
                    to[x] += window[x] * estimate[x];
            }
    }

    void merge(const std::vector<Sums<T>> &sums, i64 tiles) {
        Box all = sums[0].box;
        for (i64 k = 1; k < tiles; ++k)
            for (int d = 0; d < 3; ++d) {
                all.low[d] = std::min(all.low[d], sums[k].box.low[d]);
                all.high[d] = std::max(all.high[d], sums[k].box.high[d]);
            }
        const i64 high = all.high[1] - all.low[1];
        parallel_for((all.high[0] - all.low[0]) * high, 16, [&](i64 begin, i64 end, int) {
            for (i64 row = begin; row < end; ++row)
                for (i64 k = 0; k < tiles; ++k)
                    add_row(sums[k], all.low[0] + row / high, all.low[1] + row % high);
        });
    }

    void add_row(const Sums<T> &sums, i64 z, i64 y) {
        const Box &box = sums.box;
        if (z < box.low[0] || z >= box.high[0] || y < box.low[1] || y >= box.high[1])
            return;
        const i64 from = box.at(z, y, box.low[2]), n = box.high[2] - box.low[2];
        const i64 to = (z * stage_.size[1] + y) * stage_.size[2] + box.low[2];
        add(sums.values.data() + from, values_.data() + to, n);
        add(sums.weights.data() + from, weights_.data() + to, n);
    }

    // out[line of `n`] = sum over j of window[j] x[line - j], lines `step` apart in an axis.
    void fold(int axis, const std::vector<T> &x, std::vector<T> &out) const {
        const i64 n = stage_.size[2], length = stage_.size[axis];
        const i64 step = axis == 0 ? stage_.size[1] * n : n;
        parallel_for(stage_.size[0] * stage_.size[1], 16, [&](i64 begin, i64 end, int) {
            for (i64 row = begin; row < end; ++row) {
                T *to = out.data() + row * n;
                std::fill_n(to, n, T(0));
                const i64 along = axis == 0 ? row / stage_.size[1] : row % stage_.size[1];
                for (i64 j = 0; j < stage_.block[axis]; ++j)
                    if (axis == 2)
                        add_multiple(stage_.window[j], x.data() + row * n, to + j, length - j);
                    else if (along >= j)
                        add_multiple(stage_.window[j], x.data() + row * n - j * step, to, n);
            }
        });
    }

    void finish(T *out) {
        std::vector<T> folded(weights_.size());
        for (int axis = stage_.block[0] > 1 ? 0 : 1; axis < 3; ++axis) {
            fold(axis, weights_, folded);
            std::swap(weights_, folded);
        }
        parallel_for(voxels_of(stage_.size), 1 << 14, [&](i64 begin, i64 end, int) {
            for (i64 i = begin; i < end; ++i)
                out[i] = weights_[i] > 0 ? values_[i] / weights_[i] : image_[i];
        });
    }

    Stage<T> stage_;
    std::vector<T> image_, guide_, values_, weights_;
    T window_[voxels];
    Triple tile_, tiles_;
};

} // namespace

template <class T> void stage(const T *image, const T *guide, const Stage<T> &stage, T *out) {
    Filter<T>(image, guide, stage).run(out);
}

template void stage(const float *, const float *, const Stage<float> &, float *);
template void stage(const double *, const double *, const Stage<double> &, double *);

} // namespace pyrad::bm4d

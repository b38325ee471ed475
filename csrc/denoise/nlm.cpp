// Non-local means by pairs: Buades, Coll, Morel 2005, doi:10.1137/040616024; loop over offsets with
// box sums after Darbon et al. 2008, doi:10.1109/ISBI.2008.4541250.
//
// W(i, j) = W(j, i), so only the half of the offsets that points forward (in z, y, x order) is
// worked on, and each weight is added at both ends. For one (dz, dy) a strip of rows marches along
// z with all dx at once: squared differences are summed over the patch axis by axis, earlier planes
// wait in rings, and the finished weights of all dx are added together, sums in registers.
//
// Threads take blocks of rows; a block also writes up to one search radius beyond itself. Blocks
// are coloured so that no two of one colour touch the same row, and colours run one after another:
// each voxel gets its contributions in one fixed order, whatever the number of threads.
//
// Sums hold differences to the centre voxel, which keeps a constant image exactly as it is. All
// arrays have margins, so that every loop along x has a length that is a multiple of the vector's;
// pairs that are not both inside the image get weight zero.
#include "denoise/nlm.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "denoise/nlm_frame.hpp"
#include "denoise/nlm_loops.hpp"

#include <algorithm>
#include <type_traits>

namespace pyrad::nlm {
namespace {

constexpr i64 strip_rows = 16;
constexpr i64 widest_tile = 320; // voxels along x worked on at a time
constexpr i64 most_offsets = 6;  // along x worked on at a time

template <class T> Loops<T> loops() {
    if constexpr (std::is_same_v<T, float>) {
        const Loops<float> vector = vector_loops();
        if (vector.add)
            return vector;
    }
    return portable_loops<T>();
}

template <class T>
PYRAD_CLONES void finish_row(const T *__restrict value, const T *__restrict numerator,
                             const T *__restrict denominator, T *__restrict out, i64 n) {
    for (i64 i = 0; i < n; ++i)
        out[i] = value[i] + numerator[i] / denominator[i];
}

// Zero outside `inside` in rows of n elements.
template <class T> void clear_outside(T *rows, i64 stride, i64 count, i64 n, Range inside) {
    const i64 begin = std::clamp<i64>(inside.begin, 0, n), end = std::clamp(inside.end, begin, n);
    for (i64 row = 0; row < count; ++row) {
        T *at = rows + row * stride;
        std::fill(at, at + begin, T(0));
        std::fill(at + end, at + n, T(0));
    }
}

// What a strip works in: rows of one tile along x, `lanes` of margin before and after.
template <class T> struct Workspace {
    i64 squares_rows, weights_rows, ring_planes, width, reach;
    T *squares, *weights, *ring, *spread, *finished;

    // `reach`: what adding at both ends may read beyond a tile of finished weights.
    Workspace(Radius patch, i64 tile, i64 reach)
        : squares_rows(strip_rows + 2 + 2 * patch.y), weights_rows(strip_rows + 2),
          ring_planes(2 * patch.z), width(tile + 4 * lanes), reach(reach) {}

    i64 finished_width() const { return width + 4 * reach; }
    i64 size() const {
        return width * (squares_rows + weights_rows +
                        most_offsets * (ring_planes * weights_rows + 2 * strip_rows)) +
               most_offsets * strip_rows * finished_width();
    }
    void set(T *memory) {
        squares = memory;
        weights = squares + squares_rows * width;
        ring = weights + weights_rows * width;
        spread = ring + most_offsets * ring_planes * weights_rows * width;
        finished = spread + most_offsets * 2 * strip_rows * width;
    }
    T *ring_plane(i64 k, i64 z) const {
        const i64 slot = (z % ring_planes + ring_planes) % ring_planes;
        return ring + (k * ring_planes + slot) * weights_rows * width;
    }
    T *spread_plane(i64 k, i64 z) const { return spread + (2 * k + (z & 1)) * strip_rows * width; }
    // First voxel of the tile in the weights of the row `row` behind the strip's first.
    T *weights_row(i64 row) const { return weights + (row + 1) * width + 2 * lanes; }
    T *finished_rows(i64 k) const {
        return finished + k * strip_rows * finished_width() + 2 * reach + 2 * lanes;
    }
};

// A strip of one volume and the offsets that it marches with.
struct March {
    i64 volume;
    Range z, y, x; // x: the tile
    i64 dz, dy;
    Range dx;           // the offsets
    Range planes, rows; // centres of weights
    Range out_z, out_y; // voxels i with a partner
    Range columns;      // x where weights are worked out, multiples of `lanes`
};

template <class T> class Filter {
  public:
    Filter(const T *image, const T *values, i64 volumes, Size size, Radius patch, Radius search,
           const Noise<T> &noise, bool patchwise)
        : size_(size), patch_(patch), search_(search),
          spread_{patchwise && patch.z, patchwise && patch.y, patchwise && patch.x},
          patchwise_(spread_.z || spread_.y || spread_.x), volumes_(volumes),
          frame_(size, patch, search), image_(framed(image, volumes, frame_, patch.x)),
          block_{std::max<i64>(search.z, 16), round_up(std::max<i64>(2 * search.y, 16)), size.x},
          tile_(tile_width(size.x)), work_(patch, tile_, round_up(search.x)), loops_(loops<T>()) {
        if (values != image)
            values_ = framed(values, volumes, frame_, 0);
        if (noise.variance) {
            variance_ = framed(noise.variance, noise.variance_step ? volumes : 1, frame_, 0);
            variance_step_ = noise.variance_step ? frame_.size() : 0;
        }
        const i64 patch_size = (2 * patch.z + 1) * (2 * patch.y + 1) * (2 * patch.x + 1);
        for (i64 k = 0; k < volumes; ++k)
            strength_.push_back(strength<T>(static_cast<double>(patch_size),
                                            noise.variance ? 0.0 : noise.sigma[k], noise.h,
                                            noise.factor));
        numerator_.resize(volumes * frame_.size());
        denominator_.resize(volumes * frame_.size());
        set_own_weights();
        scratch_.resize(max_workers() * work_.size());
    }

    void run(T *out) {
        const i64 down = (size_.z + block_.z - 1) / block_.z;
        const i64 across = (size_.y + block_.y - 1) / block_.y;
        for (i64 colour = 0; colour < 4; ++colour) {
            // a block writes to itself, the next one in z and both neighbours in y
            const i64 z0 = colour / 2, y0 = colour % 2;
            const i64 nz = (down - z0 + 1) / 2, ny = (across - y0 + 1) / 2;
            parallel_for(volumes_ * nz * ny, 1, [&](i64 at, i64, int worker) {
                const i64 block = at % (nz * ny);
                run_block(at / (nz * ny), z0 + 2 * (block / ny), y0 + 2 * (block % ny),
                          scratch_.data() + worker * work_.size());
            });
        }
        parallel_for(volumes_ * size_.z * size_.y, 64, [&](i64 begin, i64 end, int) {
            for (i64 row = begin; row < end; ++row) {
                const i64 at = frame_.row(row);
                finish_row(values().data() + at, numerator_.data() + at, denominator_.data() + at,
                           out + row * size_.x, size_.x);
            }
        });
    }

  private:
    static i64 tile_width(i64 n) {
        const i64 tiles = (n + widest_tile - 1) / widest_tile;
        return round_up((n + tiles - 1) / tiles);
    }

    // W(i, i): w(i + k, i + k) = 1 for every neighbour in the image.
    void set_own_weights() {
        const auto along = [](bool wanted, i64 i, i64 n) {
            return wanted ? 1 + spread_side * ((i > 0) + (i < n - 1)) : 1.0;
        };
        parallel_for(volumes_ * size_.z * size_.y, 64, [&](i64 begin, i64 end, int) {
            for (i64 row = begin; row < end; ++row) {
                const i64 z = row / size_.y % size_.z, y = row % size_.y;
                const double own = along(spread_.z, z, size_.z) * along(spread_.y, y, size_.y);
                T *to = denominator_.data() + frame_.row(row);
                for (i64 x = 0; x < size_.x; ++x)
                    to[x] = static_cast<T>(own * along(spread_.x, x, size_.x));
            }
        });
    }

    const Array<T> &values() const { return values_.empty() ? image_ : values_; }

    void run_block(i64 volume, i64 block_z, i64 block_y, T *scratch) {
        Workspace<T> work = work_;
        work.set(scratch);
        March march{};
        march.volume = volume;
        march.z = {block_z * block_.z, std::min((block_z + 1) * block_.z, size_.z)};
        i64 cleared = 0; // width of the tiles whose margins in `finished` are zero
        const i64 last = std::min((block_y + 1) * block_.y, size_.y);
        for (i64 y = block_y * block_.y; y < last; y += strip_rows)
            for (i64 x = 0; x < size_.x; x += tile_) {
                march.y = {y, std::min(y + strip_rows, last)};
                march.x = {x, std::min(x + tile_, round_up(size_.x))};
                if (march.x.count() != cleared)
                    std::fill(work.finished, scratch + work.size(), T(0));
                cleared = march.x.count();
                run_strip(march, work);
            }
    }

    void run_strip(March march, const Workspace<T> &work) {
        const i64 beside = spread_.x ? lanes : 0;
        march.columns = {std::max<i64>(march.x.begin - beside, 0),
                         std::min(march.x.end + beside, round_up(size_.x))};
        for (march.dz = 0; march.dz <= search_.z; ++march.dz)
            for (march.dy = march.dz ? -search_.y : 0; march.dy <= search_.y; ++march.dy) {
                march.out_y = with_partner(march.y, march.dy, size_.y);
                march.out_z = with_partner(march.z, march.dz, size_.z);
                if (!march.out_y.count() || !march.out_z.count())
                    continue;
                march.rows = with_partner(march.y.wider(spread_.y, size_.y), march.dy, size_.y);
                march.planes = with_partner(march.z.wider(spread_.z, size_.z), march.dz, size_.z);
                const i64 first = march.dz || march.dy ? -search_.x : 1;
                for (i64 dx = first; dx <= search_.x; dx += most_offsets) {
                    poll();
                    march.dx = {dx, std::min(dx + most_offsets, search_.x + 1)};
                    run_march(march, work);
                }
            }
    }

    void run_march(const March &march, const Workspace<T> &work) {
        if (patchwise_)
            std::fill(work.weights, work.ring, T(0));
        if (spread_.z)
            std::fill(work.spread, work.finished, T(0));
        std::vector<const T *> others(2 * patch_.z);
        const i64 end = march.out_z.end + spread_.z;
        for (i64 z = march.planes.begin - 2 * patch_.z; z < end; ++z) {
            const bool weighs = z >= march.planes.begin && z < march.planes.end;
            const i64 target = z - spread_.z;
            const bool adds = target >= march.out_z.begin;
            for (i64 k = 0; k < march.dx.count(); ++k) {
                const i64 dx = march.dx.begin + k;
                if (z < march.planes.end)
                    weigh(march, work, k, z, dx, weighs, others);
                if (patchwise_ && z >= march.planes.begin)
                    spread(march, work, k, z, dx, weighs, adds);
            }
            if (adds)
                add(march, work, target);
        }
    }

    i64 shift(const March &march, i64 dx) const {
        return (march.dz * frame_.height() + march.dy) * frame_.width + dx;
    }

    // Where x and its partner are in the image, counted from `first`.
    Range valid_columns(i64 dx, i64 first) const {
        const Range inside = with_partner({0, size_.x}, dx, size_.x);
        return {inside.begin - first, inside.end - first};
    }

    // Squares of plane z + patch radius; weights of plane z if `finish`.
    void weigh(const March &march, const Workspace<T> &work, i64 k, i64 z, i64 dx, bool finish,
               std::vector<const T *> &others) {
        const i64 n = march.columns.count(), plane = z + patch_.z;
        const i64 at =
            frame_.at(march.volume, plane, march.rows.begin - patch_.y) + march.columns.begin;
        const i64 partner = shift(march, dx);
        const Squares<T> squares{image_.data() + at,
                                 image_.data() + at + partner,
                                 frame_.width,
                                 work.squares,
                                 n,
                                 march.rows.count() + 2 * patch_.y,
                                 n,
                                 patch_.x};
        for (i64 j = 1; j <= 2 * patch_.z; ++j)
            others[j - 1] = work.ring_plane(k, plane - j);
        const i64 row = march.rows.begin - march.y.begin;
        T *weights = patchwise_ ? work.weights_row(row)
                                : work.finished_rows(k) + row * work.finished_width();
        const i64 stride = patchwise_ ? work.width : work.finished_width();
        weights += march.columns.begin - march.x.begin;
        const T *variance = nullptr;
        if (!variance_.empty())
            variance = variance_.data() + march.volume * variance_step_ +
                       frame_.at(0, z, march.rows.begin) + march.columns.begin;
        const Weighing<T> weighing{work.squares,
                                   n,
                                   patch_.y,
                                   patch_.z ? work.ring_plane(k, plane) : nullptr,
                                   others.data(),
                                   2 * patch_.z,
                                   finish ? weights : nullptr,
                                   stride,
                                   variance,
                                   variance ? variance + partner : nullptr,
                                   frame_.width,
                                   strength_[march.volume],
                                   march.rows.count(),
                                   n};
        if (!loops_.square_and_weigh(squares, weighing)) {
            loops_.squares(squares);
            loops_.weigh(weighing);
        }
        if (finish)
            clear_outside(weights, stride, march.rows.count(), n,
                          valid_columns(dx, march.columns.begin));
    }

    void spread(const March &march, const Workspace<T> &work, i64 k, i64 z, i64 dx, bool weighs,
                bool adds) {
        const i64 n = march.x.count(), row = march.out_y.begin - march.y.begin;
        T *out = work.finished_rows(k) + row * work.finished_width();
        T *plane = work.spread_plane(k, z);
        if (!adds && !spread_.z)
            return;
        loops_.spread({weighs ? work.weights_row(row) : nullptr, work.width, spread_.y != 0,
                       spread_.x != 0, spread_.z != 0, plane, plane, work.spread_plane(k, z - 1),
                       adds ? out : nullptr, work.finished_width(), march.out_y.count(), n});
        if (adds)
            clear_outside(out, work.finished_width(), march.out_y.count(), n,
                          valid_columns(dx, march.x.begin));
    }

    void add(const March &march, const Workspace<T> &work, i64 z) {
        const T *v = values().data();
        for (i64 y = march.out_y.begin; y < march.out_y.end; ++y) {
            const i64 i = frame_.at(march.volume, z, y) + march.x.begin, j = i + shift(march, 0);
            const i64 row = (y - march.y.begin) * work.finished_width();
            // finished weights end with the tile, their partners up to a search radius later
            const i64 begin = std::max(-work.reach, -march.x.begin);
            const i64 end =
                std::min(march.x.count() + work.reach, round_up(size_.x) - march.x.begin);
            loops_.add({work.finished_rows(0) + row, strip_rows * work.finished_width(),
                        march.dx.begin, march.dx.count(), v + i, v + j, numerator_.data() + i,
                        denominator_.data() + i, numerator_.data() + j, denominator_.data() + j,
                        march.x.count(), begin, end});
        }
    }

    Size size_;
    Radius patch_, search_, spread_;
    bool patchwise_;
    i64 volumes_;
    Frame frame_;
    Array<T> image_, values_, variance_, numerator_, denominator_, scratch_;
    i64 variance_step_ = 0;
    Size block_;
    i64 tile_;
    Workspace<T> work_;
    Loops<T> loops_;
    std::vector<Strength<T>> strength_;
};

} // namespace

template <class T>
void nlm(const T *image, const T *values, i64 volumes, Size size, Radius patch, Radius search,
         const Noise<T> &noise, bool patchwise, T *out) {
    constexpr i64 enough = 1 << 22; // voxels of small volumes that are filtered together
    const i64 voxels = size.z * size.y * size.x;
    const i64 group = std::max<i64>(1, enough / voxels);
    for (i64 first = 0; first < volumes; first += group) {
        Noise<T> part = noise;
        part.sigma += noise.variance ? 0 : first;
        part.variance += noise.variance ? first * noise.variance_step : 0;
        const i64 at = first * voxels;
        Filter<T>(image + at, values + at, std::min(group, volumes - first), size, patch, search,
                  part, patchwise)
            .run(out + at);
    }
}

template void nlm(const float *, const float *, i64, Size, Radius, Radius, const Noise<float> &,
                  bool, float *);
template void nlm(const double *, const double *, i64, Size, Radius, Radius, const Noise<double> &,
                  bool, double *);

} // namespace pyrad::nlm

// A window moves along the centres of a row; the plane ahead of it enters, the one behind leaves.
// Order statistics come from the set of its values' ranks in the whole region, entropy and
// uniformity from a histogram whose sums are integers. Sums about the mean are worked out afresh
// for each window, plane by plane, since sliding ones would cancel.
#include "texture/local_first_order.hpp"

#include "base/error.hpp"
#include "base/pool.hpp"
#include "base/simd.hpp"
#include "texture/first_order_math.hpp"
#include "texture/rank_set.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

namespace pyrad {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// --- ranks -------------------------------------------------------------------------------------

template <class T> struct Ranked {
    T value;
    u32 at;
    bool operator<(const Ranked &other) const {
        return value < other.value || (value == other.value && at < other.at);
    }
};

// Runs of `run` sorted entries become runs twice as long, until there is one.
template <class T> void sort_all(std::vector<Ranked<T>> &all) {
    constexpr i64 first_run = 1 << 14;
    const i64 n = static_cast<i64>(all.size());
    parallel_for(n, first_run, [&](i64 begin, i64 end, int) {
        std::sort(all.begin() + begin, all.begin() + end);
    });
    std::vector<Ranked<T>> other(n);
    for (i64 run = first_run; run < n; run *= 2) {
        parallel_for(n, 2 * run, [&](i64 begin, i64 end, int) {
            const i64 middle = std::min(begin + run, end);
            std::merge(all.begin() + begin, all.begin() + middle, all.begin() + middle,
                       all.begin() + end, other.begin() + begin);
        });
        all.swap(other);
    }
}

// Rank of every voxel of the region, and its value.
template <class T> struct Ranks {
    std::vector<u32> of_voxel;
    std::vector<T> values;

    template <class L> Ranks(const T *of, const L *levels, i64 voxels) : of_voxel(voxels) {
        if (voxels > std::numeric_limits<u32>::max())
            fail(ErrorKind::memory, "first-order maps of ", voxels,
                 " voxels; at most 2^32 - 1 are possible, cut the image into parts");
        std::vector<Ranked<T>> all;
        for (i64 v = 0; v < voxels; ++v)
            if (levels[v])
                all.push_back({of[v], static_cast<u32>(v)});
        sort_all(all);
        values.resize(all.size());
        parallel_for(static_cast<i64>(all.size()), 1 << 14, [&](i64 begin, i64 end, int) {
            for (i64 r = begin; r < end; ++r) {
                of_voxel[all[r].at] = static_cast<u32>(r);
                values[r] = all[r].value;
            }
        });
    }
};

// --- sums over a window ------------------------------------------------------------------------

#pragma GCC diagnostic ignored "-Wpsabi" // vectors stay within functions of this file
constexpr i64 lanes = 4;                 // GCC compares wider registers number by number
typedef double Lanes __attribute__((vector_size(8 * lanes), aligned(8)));
typedef i64 Bits __attribute__((vector_size(8 * lanes), aligned(8)));

inline Lanes where(Bits chosen, Lanes x) {
    return reinterpret_cast<Lanes>(reinterpret_cast<Bits>(x) & chosen);
}
inline Lanes absolute(Lanes x) {
    return reinterpret_cast<Lanes>(reinterpret_cast<Bits>(x) &
                                   (Bits{} + std::numeric_limits<i64>::max()));
}
inline double total(Lanes x) {
    double sum = 0;
    for (i64 k = 0; k < lanes; ++k)
        sum += x[k];
    return sum;
}

// Values of a plane inside the region, NaN up to a multiple of `lanes`; their sums.
struct Plane {
    double *values;
    i64 size, padded;
    double sum, squares;
};

PYRAD_CLONES void sum_plane(Plane &plane, double shift) {
    Lanes sum = {}, squares = {};
    for (i64 k = 0; k < plane.padded; k += lanes) {
        const Lanes x = *reinterpret_cast<const Lanes *>(plane.values + k);
        const Lanes shifted = x + shift;
        sum += where(x == x, x);
        squares += where(x == x, shifted * shifted);
    }
    plane.sum = total(sum);
    plane.squares = total(squares);
}

// Sums about s.mean, s.median and of what lies within [s.p10, s.p90].
PYRAD_CLONES void sum_window(const Plane *planes, i64 count, i64 first, FirstOrderSums &s) {
    const double low = s.p10, high = s.p90, mean = s.mean, median = s.median;
    Lanes kept = {}, kept_sum = {};
    const Lanes one = Lanes{} + 1.0;
    for (i64 p = 0; p < count; ++p) {
        const Plane &plane = planes[first + p < count ? first + p : first + p - count];
        for (i64 k = 0; k < plane.padded; k += lanes) {
            const Lanes x = *reinterpret_cast<const Lanes *>(plane.values + k);
            const Bits within = (x >= low) & (x <= high);
            kept += where(within, one);
            kept_sum += where(within, x - mean);
        }
    }
    const double number = total(kept), centre = mean + total(kept_sum) / number;
    Lanes second = {}, third = {}, fourth = {}, spread = {}, about_median = {}, robust = {};
    for (i64 p = 0; p < count; ++p) {
        const Plane &plane = planes[first + p < count ? first + p : first + p - count];
        for (i64 k = 0; k < plane.padded; k += lanes) {
            const Lanes x = *reinterpret_cast<const Lanes *>(plane.values + k);
            const Lanes c = where(x == x, x - mean), c2 = c * c;
            second += c2;
            third += c2 * c;
            fourth += c2 * c2;
            spread += absolute(c);
            about_median += where(x == x, absolute(x - median));
            robust += where((x >= low) & (x <= high), absolute(x - centre));
        }
    }
    s.second = total(second);
    s.third = total(third);
    s.fourth = total(fourth);
    s.absolute = total(spread);
    s.about_median = total(about_median);
    s.robust = number > 0 ? total(robust) / number : nan;
}

// --- the window --------------------------------------------------------------------------------

// Histogram of grey levels; sum of c log2 c in fixed point, of c^2.
class LevelHistogram {
  public:
    LevelHistogram(i64 ng, i64 voxels) : counts_(ng + 1), steps_(voxels + 1) {
        double before = 0;
        for (i64 c = 2; c <= voxels; ++c) {
            const double n = static_cast<double>(c), term = n * std::log2(n);
            steps_[c] = std::llround((term - before) * scale);
            before = term;
        }
    }

    void add(i64 level) {
        const i32 n = ++counts_[level];
        log_sum_ += steps_[n];
        squares_ += 2 * n - 1;
    }
    void remove(i64 level) {
        const i32 n = counts_[level]--;
        log_sum_ -= steps_[n];
        squares_ -= 2 * n - 1;
    }
    void shares(double n, FirstOrderSums &s) const { // n: voxels
        const double bits = std::log2(n) - static_cast<double>(log_sum_) / scale / n;
        s.entropy = bits > 1e-11 ? bits : 0.0; // 0, or at least 1 / n
        s.uniformity = static_cast<double>(squares_) / (n * n);
    }

  private:
    static constexpr double scale = 1LL << 40;
    std::vector<i32> counts_;
    std::vector<i64> steps_;
    i64 log_sum_ = 0, squares_ = 0;
};

// The planes of one x within a window: flat steps from the voxel in the middle.
struct WindowShape {
    std::vector<i64> steps;
    i64 reach, planes, stride; // stride: of values per plane

    WindowShape(const i64 *reaches, const i64 *shape) : reach(reaches[2]), planes(2 * reach + 1) {
        for (i64 z = -reaches[0]; z <= reaches[0]; ++z)
            for (i64 y = -reaches[1]; y <= reaches[1]; ++y)
                steps.push_back((z * shape[1] + y) * shape[2]);
        stride = (static_cast<i64>(steps.size()) + lanes - 1) / lanes * lanes;
    }
    i64 voxels() const { return planes * static_cast<i64>(steps.size()); }
};

template <class T, class L> class Window {
  public:
    Window(const T *values, const L *levels, const Ranks<T> &ranks, const WindowShape &shape,
           i64 ng, double shift)
        : values_(values), levels_(levels), ranks_(ranks), shape_(shape), shift_(shift),
          set_(static_cast<i64>(ranks.values.size())), histogram_(ng, shape.voxels()),
          numbers_(shape.planes * shape.stride), planes_(shape.planes) {
        for (i64 p = 0; p < shape.planes; ++p)
            planes_[p] = {numbers_.data() + p * shape.stride, 0, 0, 0, 0};
    }

    void move_to(i64 centre) {
        if (at_ < 0 || centre - at_ >= shape_.planes) {
            clear();
            for (i64 p = 0; p < shape_.planes; ++p)
                enter(centre - shape_.reach + p, planes_[p]);
            oldest_ = 0;
            at_ = centre;
        }
        for (; at_ < centre; ++at_) {
            leave(at_ - shape_.reach, planes_[oldest_]);
            enter(at_ + 1 + shape_.reach, planes_[oldest_]);
            oldest_ = oldest_ + 1 == shape_.planes ? 0 : oldest_ + 1;
        }
    }

    void clear() {
        for (i64 p = 0; at_ >= 0 && p < shape_.planes; ++p) {
            const i64 place = (oldest_ + p) % shape_.planes;
            leave(at_ - shape_.reach + p, planes_[place]);
        }
        at_ = -1;
    }

    i64 size() const { return size_; }

    FirstOrderSums sums() const {
        FirstOrderSums s{};
        const double n = static_cast<double>(size_);
        s.n = n;
        find_quantiles(s);
        double sum = 0;
        for (i64 p = 0; p < shape_.planes; ++p) {
            const Plane &plane = planes_[(oldest_ + p) % shape_.planes];
            sum += plane.sum;
            s.squares += plane.squares;
        }
        s.mean = s.minimum == s.maximum ? s.minimum : sum / n;
        sum_window(planes_.data(), shape_.planes, oldest_, s);
        histogram_.shares(n, s);
        return s;
    }

  private:
    void find_quantiles(FirstOrderSums &s) const {
        constexpr double shares[] = {0.10, 0.25, 0.50, 0.75, 0.90};
        constexpr int count = 5;
        double *const found[] = {&s.p10, &s.p25, &s.median, &s.p75, &s.p90}, part[count];
        i32 order[2 * count + 2];
        for (int q = 0; q < count; ++q) {
            const double at = shares[q] * static_cast<double>(size_ - 1);
            order[2 * q] = static_cast<i32>(at);
            order[2 * q + 1] = static_cast<i32>(std::min<i64>(order[2 * q] + 1, size_ - 1));
            part[q] = at - order[2 * q];
        }
        order[2 * count] = 0;
        order[2 * count + 1] = static_cast<i32>(size_ - 1);
        i64 ranks[2 * count + 2];
        set_.select(order, 2 * count + 2, ranks);
        const auto value = [&](int k) { return static_cast<double>(ranks_.values[ranks[k]]); };
        for (int q = 0; q < count; ++q)
            *found[q] = quantile_between(value(2 * q), value(2 * q + 1), part[q]);
        s.minimum = value(2 * count);
        s.maximum = value(2 * count + 1);
    }

    void enter(i64 middle, Plane &plane) {
        i64 n = 0;
        for (const i64 step : shape_.steps) {
            const i64 at = middle + step;
            if (!levels_[at])
                continue;
            set_.add(ranks_.of_voxel[at]);
            histogram_.add(levels_[at]);
            plane.values[n++] = static_cast<double>(values_[at]);
        }
        plane.size = n;
        plane.padded = (n + lanes - 1) / lanes * lanes;
        std::fill(plane.values + n, plane.values + plane.padded, nan);
        sum_plane(plane, shift_);
        size_ += n;
    }

    void leave(i64 middle, const Plane &plane) {
        for (const i64 step : shape_.steps) {
            const i64 at = middle + step;
            if (!levels_[at])
                continue;
            set_.remove(ranks_.of_voxel[at]);
            histogram_.remove(levels_[at]);
        }
        size_ -= plane.size;
    }

    const T *values_;
    const L *levels_;
    const Ranks<T> &ranks_;
    const WindowShape &shape_;
    double shift_;
    RankSet set_;
    LevelHistogram histogram_;
    std::vector<double> numbers_;
    std::vector<Plane> planes_;
    i64 at_ = -1, oldest_ = 0, size_ = 0;
};

} // namespace

template <class T, class L>
void local_first_order(View<const T, 3> values, View<const L, 3> levels, const i64 *centres,
                       i64 count, const i64 *reach, i64 ng, const LocalStatistics &settings,
                       double *out) {
    const Ranks<T> ranks(values.data, levels.data, levels.size());
    const WindowShape shape(reach, levels.shape.data());
    using Moving = Window<T, L>;
    std::vector<std::unique_ptr<Moving>> workers(max_workers());
    parallel_for(count, 256, [&](i64 begin, i64 end, int worker) {
        if (!workers[worker])
            workers[worker] = std::make_unique<Moving>(values.data, levels.data, ranks, shape, ng,
                                                       settings.shift);
        Moving &window = *workers[worker];
        for (i64 c = begin; c < end; ++c) {
            poll();
            window.move_to(centres[c]);
            double *const to = out + c * first_order_feature_count;
            if (!window.size()) {
                std::fill(to, to + first_order_feature_count, nan);
                continue;
            }
            FirstOrderSums s = window.sums();
            s.voxel_volume = settings.voxel_volume;
            first_order_finish(s, settings.excess, settings.flat, nan, to);
        }
        window.clear();
    });
}

#define PYRAD_LOCAL(T, L)                                                                          \
    template void local_first_order(View<const T, 3>, View<const L, 3>, const i64 *, i64,          \
                                    const i64 *, i64, const LocalStatistics &, double *);
PYRAD_LOCAL(float, u8)
PYRAD_LOCAL(float, u16)
PYRAD_LOCAL(double, u8)
PYRAD_LOCAL(double, u16)
#undef PYRAD_LOCAL

} // namespace pyrad

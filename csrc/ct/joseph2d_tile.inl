// The inner loops of joseph2d_x86.cpp, once for every pack P of registers.

#include "ct/fan_windows.inl"

// --- projection ---------------------------------------------------------------------------------

constexpr int ray_registers = static_cast<int>(ray_tile) / P::width;

// First sample of the window that a register's rays need at each of `count` lines.
PYRAD_TARGET static void place_lines(i64 first, i64 count, i64 length, const float *start,
                                     const float *slope, int *window) {
    constexpr int last = P::width - 1;
    const F low = P::all(-34.0f), high = P::all(static_cast<float>(length + 1));
    const F slack = P::all(line_slack), lanes = P::lanes();
    for (i64 i = 0; i < count; i += P::width) {
        const F k = P::all(static_cast<float>(first + i)) + lanes;
        const F one = P::fma(k, P::all(slope[0]), P::all(start[0]));
        const F other = P::fma(k, P::all(slope[last]), P::all(start[last]));
        const F at = P::floor(P::min(one, other) - slack);
        P::store(window + i, P::whole(P::min(P::max(at, low), high)));
    }
}

PYRAD_TARGET static void sum_lines(const float *lines, i64 stride, i64 begin, i64 end, i64 length,
                                   const float *start, const float *slope, float *sums) {
    int window[ray_registers][block_lines];
    F from[ray_registers], step[ray_registers], sum[ray_registers];
    for (int g = 0; g < ray_registers; ++g) {
        from[g] = P::load(start + P::width * g);
        step[g] = P::load(slope + P::width * g);
        sum[g] = P::load(sums + P::width * g);
    }
    for (i64 first = begin; first < end; first += block_lines) {
        const i64 count = block_lines < end - first ? block_lines : end - first;
        for (int g = 0; g < ray_registers; ++g)
            place_lines(first, count, length, start + P::width * g, slope + P::width * g,
                        window[g]);
        for (i64 i = 0; i < count; ++i) {
            const float *line = lines + (first + i) * stride;
            const F k = P::all(static_cast<float>(first + i));
#pragma GCC unroll 4
            for (int g = 0; g < ray_registers; ++g) {
                const int w = window[g][i];
                const F at = P::fma(k, step[g], from[g]) - P::all(static_cast<float>(w));
                const P::I index = P::whole(at);
                const F part = P::part(at, index);
                const F low = P::pick2(line + w, index), high = P::pick2(line + w + 1, index);
                sum[g] = P::fma(part, high - low, sum[g] + low);
            }
        }
    }
    for (int g = 0; g < ray_registers; ++g)
        P::store(sums + P::width * g, sum[g]);
}

// --- adjoint, parallel rays ---------------------------------------------------------------------

// Column of a register's first sample within its window, and where the window begins.
struct Columns {
    int window[registers][block_views];
    float offset[registers][block_views];
};

PYRAD_TARGET static void place_columns(const ParallelViews &views, i64 v0, i64 count, i64 line,
                                       i64 pixel, Columns &columns) {
    const D low = P::all(-38.0), high = P::all(views.columns + 4.0), zero = P::all(0.0);
    for (int g = 0; g < registers; ++g)
        for (i64 i = 0; i < count; i += P::wide) {
            const D inverse = P::load(views.inverse + v0 + i);
            const D position =
                P::fma(P::load(views.slope + v0 + i), P::all(static_cast<double>(line)),
                       P::load(views.first + v0 + i));
            const D sample = P::all(static_cast<double>(pixel + P::width * g + 1));
            const D column = (sample - position) * inverse;
            const D window = P::floor(column + P::min(zero, P::all(P::width - 1.0) * inverse));
            P::store(columns.offset[g] + i, column - window);
            P::store(columns.window[g] + i, P::min(P::max(window, low), high));
        }
}

// The rays closer than one sample: columns index + 1 - Reach .. index + Reach, of which the one
// at index lies `part` columns before the sample.
template <int Reach, bool Narrow>
PYRAD_TARGET void add_parallel(const ParallelViews &views, i64 begin, i64 end, i64 line, i64 pixel,
                               float *tile) {
    const F zero = P::all(0.0f), lane = P::lanes();
    Columns columns;
    for (i64 v0 = begin; v0 < end; v0 += block_views) {
        const i64 count = block_views < end - v0 ? block_views : end - v0;
        for (i64 row = 0; row < tile_rows; ++row) {
            place_columns(views, v0, count, line + row, pixel, columns);
            float *out = tile + row * tile_columns;
            F sum[registers];
            for (int g = 0; g < registers; ++g)
                sum[g] = P::load(out + P::width * g);
            for (i64 i = 0; i < count; ++i) {
                const double inverse = views.inverse[v0 + i];
                const float advance = static_cast<float>(1 / (inverse < 0 ? -inverse : inverse));
                const F step = lane * P::all(static_cast<float>(inverse)), fall = P::all(advance);
                const float *given = views.given + (v0 + i) * views.stride;
#pragma GCC unroll 8
                for (int g = 0; g < registers; ++g) {
                    const F at = step + P::all(columns.offset[g][i]);
                    const P::I index = P::whole(at);
                    const F part = P::part(at, index);
                    const float *p = given + columns.window[g][i];
#pragma GCC unroll 4
                    for (int j = 1 - Reach; j <= Reach; ++j) {
                        const F share = j > 0 ? P::fma(fall, part, P::all(1.0f - j * advance))
                                              : P::fnma(fall, part, P::all(1.0f + j * advance));
                        const F value = Narrow ? P::pick1(p + j, index) : P::pick2(p + j, index);
                        sum[g] = P::fma(P::max(share, zero), value, sum[g]);
                    }
                }
            }
            for (int g = 0; g < registers; ++g)
                P::store(out + P::width * g, sum[g]);
        }
    }
}

static ParallelKernel choose_parallel(double inverse) {
    if (inverse > two_registers)
        return nullptr;
    if (inverse > reach_one)
        return &add_parallel<2, false>;
    return inverse > one_register ? &add_parallel<1, false> : &add_parallel<1, true>;
}

// --- adjoint, fan -------------------------------------------------------------------------------

// With |du/dx| <= Rays / 2, the rays closer than one sample are among the `Rays` columns from
// ceil(u - Rays / 2) on. Their positions and so their weights are those of the projection.
template <bool Curved, bool Tight, int Rays, bool Narrow>
PYRAD_TARGET void add_fan(const FanViews &views, i64 begin, i64 end, i64 line, i64 pixel,
                          float *tile) {
    const fan::Beam &beam = views.beam;
    const double centre = beam.centre + 1 - 0.5 * Rays; // truncation then finds the first column
    const F lane = P::lanes(), s = lane - P::all(0.5f * (P::width - 1));
    const F magnify = P::all(static_cast<float>(beam.magnify));
    const F zero = P::all(0.0f), one = P::all(1.0f);
    Windows windows;
    Middle middle;
    for (i64 v0 = begin; v0 < end; v0 += block_views) {
        const i64 count = block_views < end - v0 ? block_views : end - v0;
        if (Curved)
            place_middle(beam, v0, count, pixel, line, middle);
        for (i64 row = 0; row < tile_rows; ++row) {
            for (int g = 0; g < registers; ++g)
                place<Curved>(beam, centre, v0, count, pixel, line + row, g, middle, windows);
            const F k = P::all(static_cast<float>(line + row));
            float *out = tile + row * tile_columns;
            F sum[registers];
            for (int g = 0; g < registers; ++g)
                sum[g] = P::load(out + P::width * g);
            for (i64 i = 0; i < count; ++i) {
                const i64 row_of = (v0 + i) * views.stride;
#pragma GCC unroll 8
                for (int g = 0; g < registers; ++g) {
                    const Pixels found = locate<Curved, Tight>(s, windows, g, i, magnify);
                    const P::I index = P::whole(found.at);
                    const i64 at = row_of + windows.start[g][i];
                    const F sample = lane + P::all(static_cast<float>(pixel + P::width * g + 1));
#pragma GCC unroll 4
                    for (int j = 0; j < Rays; ++j) {
                        const float *a = views.start + at + j, *b = views.slope + at + j,
                                    *c = views.given + at + j;
                        const F from = Narrow ? P::pick1(a, index) : P::pick2(a, index);
                        const F step = Narrow ? P::pick1(b, index) : P::pick2(b, index);
                        const F value = Narrow ? P::pick1(c, index) : P::pick2(c, index);
                        const F distance = P::abs(P::fma(k, step, from) - sample);
                        sum[g] = P::fma(P::max(one - distance, zero), value, sum[g]);
                    }
                }
            }
            for (int g = 0; g < registers; ++g)
                P::store(out + P::width * g, sum[g]);
        }
    }
}

template <bool Curved, bool Tight> FanKernel choose_fan(double advance) {
    if (advance <= one_register)
        return &add_fan<Curved, Tight, 2, true>;
    if (advance <= 1.0)
        return &add_fan<Curved, Tight, 2, false>;
    return advance <= 1.5 ? &add_fan<Curved, Tight, 3, false> : &add_fan<Curved, Tight, 4, false>;
}

static FanKernel choose_fan(bool curved, bool tight, double advance) {
    if (curved)
        return tight ? choose_fan<true, true>(advance) : choose_fan<true, false>(advance);
    return tight ? choose_fan<false, true>(advance) : choose_fan<false, false>(advance);
}

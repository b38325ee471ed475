// The tile kernel of backproject_parallel_x86.cpp, once for every pack P of registers.

using F = P::F;
using D = P::D;

// Window start and fraction of the first lane for every register of one tile row.
constexpr int registers = static_cast<int>(tile_columns) / P::width;
struct Windows {
    int start[registers][block_views];
    float fraction[registers][block_views];
};

// Far outside the detector the window is moved to where the padding is zero. Reads and writes
// beyond count to a multiple of P::wide.
PYRAD_TARGET static void place(const SampleTable<float> &table, i64 v0, i64 count, i64 x, i64 y,
                               Windows &windows) {
    const D low = P::all(-34.0), high = P::all(table.columns + 1.0), zero = P::all(0.0);
    for (i64 i = 0; i < count; i += P::wide) {
        const D step = P::load(table.per_x + v0 + i);
        const D at_row = P::fma(P::load(table.per_y + v0 + i), P::all(static_cast<double>(y)),
                                P::load(table.first + v0 + i));
        const D lowest = P::min(zero, P::all(P::width - 1.0) * step);
        for (int g = 0; g < registers; ++g) {
            const D u = P::fma(step, P::all(static_cast<double>(x + g * P::width)), at_row);
            const D start = P::floor(u + lowest);
            P::store(windows.fraction[g] + i, u - start);
            P::store(windows.start[g] + i, P::min(P::max(start, low), high));
        }
    }
}

PYRAD_TARGET static void add_views(const SampleTable<float> &table, i64 x, i64 y, float *tile) {
    const F lane = P::lanes();
    Windows windows;
    for (i64 v0 = 0; v0 < table.views; v0 += block_views) {
        const i64 count = block_views < table.views - v0 ? block_views : table.views - v0;
        for (i64 row = 0; row < tile_rows; ++row) {
            place(table, v0, count, x, y + row, windows);
            float *out = tile + row * tile_columns;
            F sum[registers];
            for (int g = 0; g < registers; ++g)
                sum[g] = P::load(out + P::width * g);
            for (i64 i = 0; i < count; ++i) {
                const double per_x = table.per_x[v0 + i];
                const F step = lane * P::all(static_cast<float>(per_x));
                const float *value = table.value + (v0 + i) * table.stride;
                const float *slope = table.slope + (v0 + i) * table.stride;
                const bool narrow = per_x <= one_register && per_x >= -one_register;
#pragma GCC unroll 8
                for (int g = 0; g < registers; ++g) {
                    const F at = step + P::all(windows.fraction[g][i]);
                    const P::I index = P::whole(at);
                    const F part = P::part(at, index);
                    const float *p = value + windows.start[g][i], *d = slope + windows.start[g][i];
                    const F sample = narrow ? P::pick1(p, index) : P::pick2(p, index);
                    const F rise = narrow ? P::pick1(d, index) : P::pick2(d, index);
                    sum[g] = P::fma(part, rise, sum[g] + sample);
                }
            }
            for (int g = 0; g < registers; ++g)
                P::store(out + P::width * g, sum[g]);
        }
    }
}

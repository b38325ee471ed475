// The tile kernel of backproject_fan_x86.cpp, once for every pack P of registers.

#include "ct/fan_windows.inl"

template <bool Curved, bool Tight, bool Narrow>
PYRAD_TARGET void add_views(const Scan<float> &scan, i64 begin, i64 end, i64 x, i64 y,
                            float *tile) {
    const F s = P::lanes() - P::all(0.5f * (P::width - 1));
    const F magnify = P::all(static_cast<float>(scan.beam.magnify));
    Windows windows;
    Middle middle;
    for (i64 v0 = begin; v0 < end; v0 += block_views) {
        const i64 count = block_views < end - v0 ? block_views : end - v0;
        if (Curved)
            place_middle(scan.beam, v0, count, x, y, middle);
        for (i64 row = 0; row < tile_rows; ++row) {
            for (int g = 0; g < registers; ++g)
                place<Curved>(scan.beam, scan.beam.centre, v0, count, x, y + row, g, middle,
                              windows);
            float *out = tile + row * tile_columns;
            F sum[registers];
            for (int g = 0; g < registers; ++g)
                sum[g] = P::load(out + P::width * g);
            for (i64 i = 0; i < count; ++i) {
                const float *value = scan.value + (v0 + i) * scan.stride;
                const float *slope = scan.slope + (v0 + i) * scan.stride;
#pragma GCC unroll 8
                for (int g = 0; g < registers; ++g) {
                    const Pixels pixels = locate<Curved, Tight>(s, windows, g, i, magnify);
                    const P::I index = P::whole(pixels.at);
                    const F part = P::part(pixels.at, index);
                    const float *p = value + windows.start[g][i], *d = slope + windows.start[g][i];
                    const F sample = Narrow ? P::pick1(p, index) : P::pick2(p, index);
                    const F rise = Narrow ? P::pick1(d, index) : P::pick2(d, index);
                    sum[g] = P::fma(pixels.weight, P::fma(part, rise, sample), sum[g]);
                }
            }
            for (int g = 0; g < registers; ++g)
                P::store(out + P::width * g, sum[g]);
        }
    }
}

template <bool Curved> TileKernel<float> choose(bool tight, bool narrow) {
    if (narrow)
        return tight ? &add_views<Curved, true, true> : &add_views<Curved, false, true>;
    return tight ? &add_views<Curved, true, false> : &add_views<Curved, false, false>;
}

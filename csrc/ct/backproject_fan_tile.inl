// The tile kernel of backproject_fan_x86.cpp, once for every pack P of registers.

constexpr int registers = static_cast<int>(tile_columns) / P::width;
using F = P::F;
using D = P::D;

// What a register of one tile row needs to know of each view of a block.
struct Windows {
    int start[registers][block_views];
    float centre[registers][block_views];  // u_c - start
    float bend[registers][block_views];    // k
    float lateral[registers][block_views]; // g, or t
    float weight[registers][block_views];  // w_c
};

// Direction and column of a tile's centre, from where its registers count on an arc.
struct Middle {
    double across[block_views], along[block_views], column[block_views];
};

// atan(z): for |z| < 0.1 to 1e-10 (Terms = 4), < 0.3 to 1e-11 (9), < tan(pi / 8) to 1e-12 (14).
template <int Terms> PYRAD_TARGET PYRAD_ALWAYS D short_arc(D z) {
    const D square = z * z;
    D sum = P::all(1.0 / (2 * Terms - 1));
#pragma GCC unroll 16
    for (int n = Terms - 1; n > 0; --n)
        sum = P::all(1.0 / (2 * n - 1)) - square * sum;
    return z * sum;
}

PYRAD_TARGET PYRAD_ALWAYS D linear(const double *n_x, const double *n_y, const double *n_0, i64 v,
                                   double x, double y) {
    return P::fma(P::load(n_x + v), P::all(x),
                  P::fma(P::load(n_y + v), P::all(y), P::load(n_0 + v)));
}

PYRAD_TARGET void place_middle(const Scan<float> &scan, i64 v0, i64 count, i64 x, i64 y,
                               Middle &middle) {
    const double at_x = x + 0.5 * (tile_columns - 1), at_y = y + 0.5 * (tile_rows - 1);
    const Views &n = scan.view;
    const D one = P::all(1.0);
    for (i64 i = 0; i < count; i += P::wide) {
        const D across = linear(n.across_x, n.across_y, n.across_0, v0 + i, at_x, at_y);
        const D along = linear(n.along_x, n.along_y, n.along_0, v0 + i, at_x, at_y);
        const D tangent = across / along; // of four times the angle of which z is the tangent
        const D half = tangent / (one + P::root(P::fma(tangent, tangent, one)));
        const D z = half / (one + P::root(P::fma(half, half, one)));
        const D angle = P::all(4 * scan.magnify) * short_arc<14>(z);
        P::store(middle.across + i, across);
        P::store(middle.along + i, along);
        P::store(middle.column + i, angle + P::all(scan.centre));
    }
}

// Register g of row y; reads and writes beyond count to a multiple of P::wide.
template <bool Curved>
PYRAD_TARGET void place(const Scan<float> &scan, i64 v0, i64 count, i64 x, i64 y, int g,
                        const Middle &middle, Windows &windows) {
    const double half = 0.5 * (P::width - 1), at_x = x + g * P::width + half;
    const double at_y = static_cast<double>(y);
    const Views &n = scan.view;
    const D one = P::all(1.0), magnify = P::all(scan.magnify);
    const D origin2 = P::all(scan.source_origin * scan.source_origin);
    for (i64 i = 0; i < count; i += P::wide) {
        const i64 v = v0 + i;
        const D across = linear(n.across_x, n.across_y, n.across_0, v, at_x, at_y);
        const D along = linear(n.along_x, n.along_y, n.along_0, v, at_x, at_y);
        const D step_across = P::load(n.across_x + v), step_along = P::load(n.along_x + v);
        const D inverse = one / (Curved ? across * across + along * along : along);
        const D cross = step_across * along - step_along * across;
        D k, lateral, weight, column;
        if (Curved) {
            const D from = P::load(middle.across + i), to = P::load(middle.along + i);
            const D z = (across * to - along * from) / (along * to + across * from);
            k = (step_across * across + step_along * along) * inverse;
            lateral = cross * inverse;
            weight = origin2 * inverse;
            column = P::fma(magnify, short_arc<9>(z), P::load(middle.column + i));
        } else {
            k = step_along * inverse;
            lateral = magnify * cross * (inverse * inverse);
            weight = origin2 * (inverse * inverse);
            column = P::fma(magnify, across * inverse, P::all(scan.centre));
        }
        const D end = P::with_sign_of(P::all(half), -lateral), u = k * end, u2 = u * u; // lower end
        const D reach = lateral * end * ((one - u) * (one + u2) * (one + u2 * u2));
        const D low = Curved ? P::fma(magnify, short_arc<4>(reach), column) : column + reach;
        const D start = P::floor(low);
        const D within = P::min(P::max(start, P::all(-34.0)), P::all(scan.columns + 1.0));
        P::store(windows.start[g] + i, within);
        P::store(windows.centre[g] + i, column - start);
        P::store(windows.bend[g] + i, k);
        P::store(windows.lateral[g] + i, lateral);
        P::store(windows.weight[g] + i, weight);
    }
}

// Column within the window and weight of a register's pixels.
struct Pixels {
    F at, weight;
};

template <bool Curved, bool Tight>
PYRAD_TARGET PYRAD_ALWAYS Pixels locate(F s, const Windows &windows, int g, i64 i, F magnify) {
    const F one = P::all(1.0f), centre = P::all(windows.centre[g][i]);
    const F u = s * P::all(windows.bend[g][i]);
    F r;
    if (Tight) {
        const F d = one + u, guess = P::guess_inverse(d);
        r = P::fma(guess, P::fnma(d, guess, one), guess);
    } else {
        const F t = one - u;
        r = P::fma(u * u, t, t);
    }
    const F w = r * r * P::all(windows.weight[g][i]), t = s * P::all(windows.lateral[g][i]);
    if (!Curved)
        return {P::fma(t, r, centre), w};
    const F z = t * r, z2 = z * z;
    F arc = P::all(-1 / 3.0f), fall = P::all(-1.0f);
    if (Tight) {
        arc = P::fma(z2, P::all(0.2f), arc);
        fall = fall + z2;
    }
    arc = P::fma(z2, arc, one);
    return {P::fma(z * magnify, arc, centre), P::fma(w * z2, fall, w)};
}

template <bool Curved, bool Tight, bool Narrow>
PYRAD_TARGET void add_views(const Scan<float> &scan, i64 begin, i64 end, i64 x, i64 y,
                            float *tile) {
    const F s = P::lanes() - P::all(0.5f * (P::width - 1));
    const F magnify = P::all(static_cast<float>(scan.magnify));
    Windows windows;
    Middle middle;
    for (i64 v0 = begin; v0 < end; v0 += block_views) {
        const i64 count = block_views < end - v0 ? block_views : end - v0;
        if (Curved)
            place_middle(scan, v0, count, x, y, middle);
        for (i64 row = 0; row < tile_rows; ++row) {
            for (int g = 0; g < registers; ++g)
                place<Curved>(scan, v0, count, x, y + row, g, middle, windows);
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

// Where the pixels of a register fall on a fan's detector; included once for every pack P of
// registers (base/pack_x86.hpp).
//
// Let h = (across, along) point from the source to the centre of a register's pixels, and let the
// pixels lie at h + s e, s = -7.5 .. 7.5 for 16. Then, exactly,
//
//     flat:    u = u_c + g s r,                        w = w_c r^2,              r = 1 / (1 + k s)
//     curved:  u = u_c + m atan(z),  z = t s r,        w = w_c r^2 / (1 + z^2)
//
// with k = e_along / along (flat) or e.h / h^2 (curved), g = du/ds, t = e x h / h^2 and w the
// inverse squared distance (along the central ray if flat). u_c, k, g, t and w_c are made in double
// precision, for many views at a time; per pixel remain short series in k s and z in single
// precision, whose remainders are below 2e-6 of a column.

using F = P::F;
using D = P::D;
constexpr int registers = static_cast<int>(tile_columns) / P::width;

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

PYRAD_TARGET static void place_middle(const Beam &beam, i64 v0, i64 count, i64 x, i64 y,
                                      Middle &middle) {
    const double at_x = x + 0.5 * (tile_columns - 1), at_y = y + 0.5 * (tile_rows - 1);
    const Views &n = beam.view;
    const D one = P::all(1.0);
    for (i64 i = 0; i < count; i += P::wide) {
        const D across = linear(n.across_x, n.across_y, n.across_0, v0 + i, at_x, at_y);
        const D along = linear(n.along_x, n.along_y, n.along_0, v0 + i, at_x, at_y);
        const D tangent = across / along; // of four times the angle of which z is the tangent
        const D half = tangent / (one + P::root(P::fma(tangent, tangent, one)));
        const D z = half / (one + P::root(P::fma(half, half, one)));
        P::store(middle.across + i, across);
        P::store(middle.along + i, along);
        P::store(middle.column + i, P::all(4 * beam.magnify) * short_arc<14>(z));
    }
}

// Register g of row y, columns counted from -centre; reads and writes beyond count to a multiple of
// P::wide. Far outside the detector the window is moved to where the padding is zero.
template <bool Curved>
PYRAD_TARGET static void place(const Beam &beam, double centre, i64 v0, i64 count, i64 x, i64 y,
                               int g, const Middle &middle, Windows &windows) {
    const double half = 0.5 * (P::width - 1), at_x = x + g * P::width + half;
    const double at_y = static_cast<double>(y);
    const Views &n = beam.view;
    const D one = P::all(1.0), magnify = P::all(beam.magnify), origin = P::all(centre);
    const D origin2 = P::all(beam.source_origin * beam.source_origin);
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
            column = P::fma(magnify, short_arc<9>(z), P::load(middle.column + i)) + origin;
        } else {
            k = step_along * inverse;
            lateral = magnify * cross * (inverse * inverse);
            weight = origin2 * (inverse * inverse);
            column = P::fma(magnify, across * inverse, origin);
        }
        const D rise = Curved ? magnify * lateral : lateral;
        const D end = P::with_sign_of(P::all(half), -rise), u = k * end, u2 = u * u; // lower end
        const D reach = lateral * end * ((one - u) * (one + u2) * (one + u2 * u2));
        const D low = Curved ? P::fma(magnify, short_arc<4>(reach), column) : column + reach;
        const D start = P::floor(low);
        const D within = P::min(P::max(start, P::all(-38.0)), P::all(beam.columns + 1.0));
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

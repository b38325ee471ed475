// Loops of non-local means for one instruction set; P is Pack512 or Pack256 with `shifted`.
// Included once per instruction set by nlm_x86.cpp.

using F = P::F;

PYRAD_TARGET PYRAD_ALWAYS F square(const float *a, const float *b) {
    const F d = P::load(b) - P::load(a);
    return d * d;
}

// x of the vector `centre` moved by k elements, between its neighbours.
template <int k> PYRAD_TARGET PYRAD_ALWAYS F at(F before, F centre, F after) {
    if constexpr (k < 0)
        return P::shifted<P::width + k>(before, centre);
    else
        return P::shifted<k>(centre, after);
}

// Sum over the element and `radius`, 1 or 2, to both sides.
template <int radius> PYRAD_TARGET PYRAD_ALWAYS F sum_beside(F before, F centre, F after) {
    F sum = at<-1>(before, centre, after) + centre + at<1>(before, centre, after);
    if constexpr (radius > 1)
        sum += at<-2>(before, centre, after) + at<2>(before, centre, after);
    return sum;
}

// Radius -1: any, through memory.
template <int radius>
PYRAD_TARGET PYRAD_ALWAYS void square_row(const float *a, const float *b, float *out, i64 n,
                                          i64 any) {
    constexpr int width = P::width;
    if constexpr (radius == 0) {
        for (i64 i = 0; i < n; i += width)
            P::store(out + i, square(a + i, b + i));
    } else if constexpr (radius > 0) {
        F before = square(a - width, b - width), centre = square(a, b);
        for (i64 i = 0; i < n; i += width) {
            const F after = square(a + i + width, b + i + width);
            P::store(out + i, sum_beside<radius>(before, centre, after));
            before = centre;
            centre = after;
        }
    } else {
        for (i64 i = 0; i < n; i += width) {
            F sum = square(a + i, b + i);
            for (i64 k = 1; k <= any; ++k)
                sum += square(a + i - k, b + i - k) + square(a + i + k, b + i + k);
            P::store(out + i, sum);
        }
    }
}

template <int radius> PYRAD_TARGET void square_rows(const Squares<float> &job) {
    for (i64 row = 0; row < job.rows; ++row)
        square_row<radius>(job.a + row * job.stride, job.b + row * job.stride,
                           job.out + row * job.out_stride, job.n, job.radius);
}

PYRAD_TARGET void squares(const Squares<float> &job) {
    if (job.radius == 0)
        square_rows<0>(job);
    else if (job.radius == 1)
        square_rows<1>(job);
    else if (job.radius == 2)
        square_rows<2>(job);
    else
        square_rows<-1>(job);
}

// 2^y for y in [-8, 0], 0 for y < -cutoff / ln 2; the polynomial of exp_negative.
PYRAD_TARGET PYRAD_ALWAYS F power_of_two(F y) {
    const F f = y - P::nearest(y);
    const F high = P::fma(P::all(0.00132764720f), f, P::all(0.00967554133f));
    const F middle = P::fma(P::all(0.05550713273f), f, P::all(0.24022119724f));
    const F low = P::fma(P::all(0.69314696706f), f, P::all(1.00000007165f));
    const F f2 = f * f;
    const F power = P::fma(P::fma(high, f2, middle), f2, low);
    return P::scaled_where(y, P::all(static_cast<float>(-cutoff * 1.4426950408889634)), power);
}

PYRAD_TARGET PYRAD_ALWAYS F inverse(F x) {
    const F guess = P::guess_inverse(x);
    const F once = guess * P::fnma(x, guess, P::all(2.0f));
    return once * P::fnma(x, once, P::all(2.0f));
}

constexpr float log2e = 1.44269504f;

// min(-(excess), 0) / h2 in powers of two.
template <bool by_map>
PYRAD_TARGET PYRAD_ALWAYS F exponent(F sum, const Weighing<float> &job, F scale, F offset, i64 at) {
    const Strength<float> &s = job.strength;
    if constexpr (!by_map)
        return P::min(P::fnma(sum, scale, offset), P::all(0.0f));
    const F s2 = P::all(0.5f) * (P::load(job.variance + at) + P::load(job.partner_variance + at));
    const F h2 = P::max(P::fma(P::all(s.factor_squared), s2, P::all(s.h_squared)), P::all(1e-30f));
    const F excess = P::fma(P::all(-2.0f), s2, sum * P::all(s.inverse_size));
    // far below the cutoff is as good as the true value, and finite
    return P::max(P::min(-excess * P::all(log2e) * inverse(h2), P::all(0.0f)), P::all(-1e3f));
}

// What follows the sum over rows at `here` of the plane: the other planes and the weight.
template <bool by_map, int others>
PYRAD_TARGET PYRAD_ALWAYS void finish_weight(const Weighing<float> &job, F scale, F offset, i64 row,
                                             i64 i, F sum) {
    const i64 planes = others >= 0 ? others : job.others_count, here = row * job.n + i;
    F total = sum;
    for (i64 k = 0; k < planes; ++k)
        total += P::load(job.others[k] + here);
    if (job.plane)
        P::store(job.plane + here, sum);
    if (job.weights)
        P::store(job.weights + row * job.weights_stride + i,
                 power_of_two(
                     exponent<by_map>(total, job, scale, offset, row * job.variance_stride + i)));
}

PYRAD_TARGET PYRAD_ALWAYS F sum_rows(const float *squares, i64 stride, i64 terms) {
    F sum = P::load(squares);
    for (i64 k = 1; k < terms; ++k)
        sum += P::load(squares + k * stride);
    return sum;
}

template <bool by_map> PYRAD_TARGET void weigh_rows(const Weighing<float> &job) {
    const F scale = P::all(job.strength.scale * log2e),
            offset = P::all(job.strength.offset * log2e);
    for (i64 row = 0; row < job.rows; ++row)
        for (i64 i = 0; i < job.n; i += P::width)
            finish_weight<by_map, -1>(
                job, scale, offset, row, i,
                sum_rows(job.squares + row * job.stride + i, job.stride, 2 * job.radius + 1));
}

PYRAD_TARGET void weigh(const Weighing<float> &job) {
    if (job.variance)
        weigh_rows<true>(job);
    else
        weigh_rows<false>(job);
}

// A column of `vectors` registers: the sums along x of the last 2 radius rows stay in registers.
// Copies of the jobs, which stores cannot change, stay in registers too.
template <int radius, int vectors, bool by_map, int others>
PYRAD_TARGET PYRAD_ALWAYS void square_column(Squares<float> from, Weighing<float> job, i64 first) {
    constexpr int width = P::width, kept = 2 * radius;
    const F scale = P::all(job.strength.scale * log2e),
            offset = P::all(job.strength.offset * log2e);
    const float *planes[others > 0 ? others : 1];
    for (int k = 0; k < others; ++k)
        planes[k] = job.others[k];
    job.others = planes;
    F last[kept][vectors];
    for (int k = 0; k < kept; ++k)
        for (int v = 0; v < vectors; ++v)
            last[k][v] = P::all(0.0f);
    for (i64 row = -kept; row < job.rows; ++row) {
        const i64 at = (row + kept) * from.stride + first;
        const float *a = from.a + at, *b = from.b + at;
        F before = square(a - width, b - width), centre = square(a, b);
        for (int v = 0; v < vectors; ++v) {
            const F after = square(a + (v + 1) * width, b + (v + 1) * width);
            const F sum = sum_beside<radius>(before, centre, after);
            before = centre;
            centre = after;
            F rows = sum;
            for (int k = 0; k < kept; ++k)
                rows += last[k][v];
            for (int k = 0; k + 1 < kept; ++k)
                last[k][v] = last[k + 1][v];
            last[kept - 1][v] = sum;
            if (row >= 0)
                finish_weight<by_map, others>(job, scale, offset, row, first + v * width, rows);
        }
    }
}

template <int radius, bool by_map, int others>
PYRAD_TARGET void square_and_weigh_columns(const Squares<float> &from, const Weighing<float> &job) {
    constexpr int most = P::width == 16 ? 4 : 2; // as many as there are registers for
    i64 i = 0;
    for (; i + most * P::width <= job.n; i += most * P::width)
        square_column<radius, most, by_map, others>(from, job, i);
    for (; i < job.n; i += P::width)
        square_column<radius, 1, by_map, others>(from, job, i);
}

template <int radius>
PYRAD_TARGET void square_and_weigh_for(const Squares<float> &from, const Weighing<float> &job) {
    if (job.variance)
        job.others_count ? square_and_weigh_columns<radius, true, 2 * radius>(from, job)
                         : square_and_weigh_columns<radius, true, 0>(from, job);
    else if (job.others_count == 0)
        square_and_weigh_columns<radius, false, 0>(from, job);
    else
        square_and_weigh_columns<radius, false, 2 * radius>(from, job);
}

PYRAD_TARGET bool square_and_weigh(const Squares<float> &from, const Weighing<float> &job) {
    const i64 radius = from.radius;
    if (job.radius != radius || (job.others_count != 0 && job.others_count != 2 * radius) ||
        radius < 1 || radius > 2)
        return false;
    if (radius == 1)
        square_and_weigh_for<1>(from, job);
    else
        square_and_weigh_for<2>(from, job);
    return true;
}

// Weights summed over x.
template <bool along_x> PYRAD_TARGET PYRAD_ALWAYS F spread_over_x(F before, F centre, F after) {
    if constexpr (!along_x)
        return centre;
    return P::fma(P::all(static_cast<float>(spread_side)),
                  at<-1>(before, centre, after) + at<1>(before, centre, after), centre);
}

PYRAD_TARGET PYRAD_ALWAYS void finish_spread(const Spreading<float> &job, i64 row, i64 i, F sum) {
    const i64 here = row * job.n + i;
    float *out = job.out + row * job.out_stride + i;
    if (job.along_z) {
        if (job.out)
            P::store(out, P::fma(P::all(static_cast<float>(spread_side)),
                                 P::load(job.before + here) + sum, P::load(job.centre + here)));
        P::store(job.plane + here, sum);
    } else {
        P::store(out, sum);
    }
}

// A column of `vectors` registers: the sums along x of two rows stay in registers.
template <bool along_x, bool along_y, int vectors>
PYRAD_TARGET PYRAD_ALWAYS void spread_column(Spreading<float> job, i64 first) {
    constexpr int width = P::width, reach = along_y;
    const F side = P::all(static_cast<float>(spread_side));
    F last[2][vectors];
    for (int k = 0; k < 2; ++k)
        for (int v = 0; v < vectors; ++v)
            last[k][v] = P::all(0.0f);
    for (i64 row = -2 * reach; row < job.rows; ++row) {
        const float *w = job.weights + (row + reach) * job.stride + first;
        F before = P::load(w - width), centre = P::load(w);
        for (int v = 0; v < vectors; ++v) {
            const F after = P::load(w + (v + 1) * width);
            const F sum = spread_over_x<along_x>(before, centre, after);
            before = centre;
            centre = after;
            const F rows = along_y ? P::fma(side, last[0][v] + sum, last[1][v]) : sum;
            last[0][v] = last[1][v];
            last[1][v] = sum;
            if (row >= 0)
                finish_spread(job, row, first + v * width, rows);
        }
    }
}

template <bool along_x, bool along_y>
PYRAD_TARGET void spread_columns(const Spreading<float> &job) {
    constexpr int most = 4;
    i64 i = 0;
    for (; i + most * P::width <= job.n; i += most * P::width)
        spread_column<along_x, along_y, most>(job, i);
    for (; i < job.n; i += P::width)
        spread_column<along_x, along_y, 1>(job, i);
}

PYRAD_TARGET void spread(const Spreading<float> &job) {
    if (!job.weights) {
        for (i64 row = 0; row < job.rows; ++row)
            for (i64 i = 0; i < job.n; i += P::width)
                finish_spread(job, row, i, P::all(0.0f));
    } else if (job.along_x) {
        if (job.along_y)
            spread_columns<true, true>(job);
        else
            spread_columns<true, false>(job);
    } else if (job.along_y) {
        spread_columns<false, true>(job);
    } else {
        spread_columns<false, false>(job);
    }
}

// Adds to one vector of voxels: weights and their other ends move by `weights_step` and `step`.
PYRAD_TARGET PYRAD_ALWAYS void add_at(const float *weights, i64 weights_step, const float *value,
                                      const float *other, i64 step, i64 count, float *numerator,
                                      float *denominator) {
    const F v = P::load(value);
    F top = P::load(numerator), bottom = P::load(denominator);
    for (i64 k = 0; k < count; ++k) {
        const F w = P::load(weights + k * weights_step);
        top = P::fma(w, P::load(other + k * step) - v, top);
        bottom += w;
    }
    P::store(numerator, top);
    P::store(denominator, bottom);
}

PYRAD_TARGET void add(const Adding<float> &job) {
    for (i64 i = 0; i < job.n; i += P::width)
        add_at(job.weights + i, job.weights_step, job.value + i, job.partner + job.first + i, 1,
               job.count, job.numerator + i, job.denominator + i);
    for (i64 i = job.begin; i < job.end; i += P::width)
        add_at(job.weights + i - job.first, job.weights_step - 1, job.partner + i,
               job.value + i - job.first, -1, job.count, job.partner_numerator + i,
               job.partner_denominator + i);
}

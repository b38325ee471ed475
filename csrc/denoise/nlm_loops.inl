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
            F sum = at<-1>(before, centre, after) + centre + at<1>(before, centre, after);
            if constexpr (radius > 1)
                sum += at<-2>(before, centre, after) + at<2>(before, centre, after);
            P::store(out + i, sum);
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
    F power = P::fma(P::all(0.00132764720f), f, P::all(0.00967554133f));
    power = P::fma(power, f, P::all(0.05550713273f));
    power = P::fma(power, f, P::all(0.24022119724f));
    power = P::fma(power, f, P::all(0.69314696706f));
    power = P::fma(power, f, P::all(1.00000007165f));
    return P::scaled_where(y, P::all(static_cast<float>(-cutoff * 1.4426950408889634)), power);
}

PYRAD_TARGET PYRAD_ALWAYS F inverse(F x) {
    const F guess = P::guess_inverse(x);
    const F once = guess * P::fnma(x, guess, P::all(2.0f));
    return once * P::fnma(x, once, P::all(2.0f));
}

// min(-(excess), 0) / h2 in powers of two.
template <bool by_map>
PYRAD_TARGET PYRAD_ALWAYS F exponent(F sum, const Weighing<float> &job, i64 at) {
    const Strength<float> &s = job.strength;
    constexpr float log2e = 1.44269504f;
    if constexpr (!by_map)
        return P::min(P::fnma(sum, P::all(s.scale * log2e), P::all(s.offset * log2e)),
                      P::all(0.0f));
    const F s2 = P::all(0.5f) * (P::load(job.variance + at) + P::load(job.partner_variance + at));
    const F h2 = P::max(P::fma(P::all(s.factor_squared), s2, P::all(s.h_squared)), P::all(1e-30f));
    const F excess = P::fma(P::all(-2.0f), s2, sum * P::all(s.inverse_size));
    // far below the cutoff is as good as the true value, and finite
    return P::max(P::min(-excess * P::all(log2e) * inverse(h2), P::all(0.0f)), P::all(-1e3f));
}

template <bool by_map, int terms, int others>
PYRAD_TARGET void weigh_rows(const Weighing<float> &job) {
    const i64 row_terms = terms ? terms : 2 * job.radius + 1;
    const i64 planes = others >= 0 ? others : job.others_count;
    for (i64 row = 0; row < job.rows; ++row) {
        const float *squares = job.squares + row * job.stride;
        for (i64 i = 0; i < job.n; i += P::width) {
            F sum = P::load(squares + i);
            for (i64 k = 1; k < row_terms; ++k)
                sum += P::load(squares + i + k * job.stride);
            const i64 here = row * job.n + i;
            if (job.plane)
                P::store(job.plane + here, sum);
            if (!job.weights)
                continue;
            for (i64 k = 0; k < planes; ++k)
                sum += P::load(job.others[k] + here);
            P::store(job.weights + row * job.weights_stride + i,
                     power_of_two(exponent<by_map>(sum, job, row * job.variance_stride + i)));
        }
    }
}

PYRAD_TARGET void weigh(const Weighing<float> &job) {
    if (job.variance)
        weigh_rows<true, 0, -1>(job);
    else if (job.radius == 1 && job.others_count == 2)
        weigh_rows<false, 3, 2>(job);
    else if (job.radius == 1 && job.others_count == 0)
        weigh_rows<false, 3, 0>(job);
    else if (job.radius == 2 && job.others_count == 4)
        weigh_rows<false, 5, 4>(job);
    else if (job.radius == 2 && job.others_count == 0)
        weigh_rows<false, 5, 0>(job);
    else
        weigh_rows<false, 0, -1>(job);
}

// Weights summed over y.
PYRAD_TARGET PYRAD_ALWAYS F spread_over_y(const Spreading<float> &job, const float *w) {
    F sum = P::load(w);
    if (job.along_y)
        sum = P::fma(P::all(static_cast<float>(spread_side)),
                     P::load(w - job.stride) + P::load(w + job.stride), sum);
    return sum;
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

PYRAD_TARGET void spread(const Spreading<float> &job) {
    const F side = P::all(static_cast<float>(spread_side));
    for (i64 row = 0; row < job.rows; ++row) {
        if (!job.weights) {
            for (i64 i = 0; i < job.n; i += P::width)
                finish_spread(job, row, i, P::all(0.0f));
            continue;
        }
        const float *w = job.weights + row * job.stride;
        if (!job.along_x) {
            for (i64 i = 0; i < job.n; i += P::width)
                finish_spread(job, row, i, spread_over_y(job, w + i));
            continue;
        }
        F before = spread_over_y(job, w - P::width), centre = spread_over_y(job, w);
        for (i64 i = 0; i < job.n; i += P::width) {
            const F after = spread_over_y(job, w + i + P::width);
            const F beside = at<-1>(before, centre, after) + at<1>(before, centre, after);
            finish_spread(job, row, i, P::fma(side, beside, centre));
            before = centre;
            centre = after;
        }
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

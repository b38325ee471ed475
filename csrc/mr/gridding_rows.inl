// Loops of gridding over whole registers, for one instruction set: P (base/pack_x86.hpp).
//
// The cells of one row of the footprint, all coils of each, are one run of floats, read and written
// in whole registers whatever the number of coils. Two coils in five registers' worth of cells
// share none of their weights, so each register has its own pattern of weights along x, the same
// for every row: a row is added up with its weight across (1 multiply-add per register), and the
// patterns are applied once per sample. Where cells are 32 or 96 bytes, runs begin at an even cell
// so that no access straddles two cache lines; the weight of a cell that does not belong is 0.
//
// Scattering takes two samples at a time where they share columns and nearly share lines, which
// halves the stores.

template <int reals, int width> struct Slab {
    static constexpr int align = P::width == 16 && (reals == 8 || reals == 24) ? 2 : 1;
    static constexpr int cells = width + align - 1;
    static constexpr int vectors = (cells * reals + P::width - 1) / P::width;
    static constexpr int tail = cells * reals % P::width; // floats of the last vector, 0: all
};

// Which weight along x each float takes, for runs that begin `shift` cells before the footprint.
template <int reals, int width> struct Pattern {
    using S = Slab<reals, width>;
    alignas(64) int index[S::align][S::vectors][P::width];
    constexpr Pattern() : index{} {
        for (int shift = 0; shift < S::align; ++shift)
            for (int v = 0; v < S::vectors; ++v)
                for (int i = 0; i < P::width; ++i)
                    index[shift][v][i] = ((v * P::width + i) / reals - shift) & (P::width - 1);
    }
};
template <int reals, int width>
static constexpr Pattern<reals, width> pattern_of = Pattern<reals, width>();

struct Place {
    const float *table;
    int degree;
    i64 x, y, z; // first cell, x of the run
    int shift;
    __m256 weight_x;
    alignas(32) float weight_y[24], weight_z[8]; // y: from 8 on, zeros around
};

PYRAD_TARGET PYRAD_ALWAYS __m256 horner(const float *table, int degree, float t) {
    const __m256 at = _mm256_set1_ps(t);
    __m256 p = _mm256_load_ps(table);
    for (int d = 1; d <= degree; ++d)
        p = _mm256_fmadd_ps(p, at, _mm256_load_ps(table + 8 * d));
    return p;
}

// Cells of sample s.
template <int dims, int align>
PYRAD_TARGET PYRAD_ALWAYS void locate(const GridPlan<float> &plan, const Shape3 &origin, i64 s,
                                      Place &at) {
    const i32 *start = plan.start + s * dims;
    const i64 x = start[dims - 1] - origin[2];
    at.shift = static_cast<int>(x & (align - 1));
    at.x = x - at.shift;
    at.y = dims > 1 ? start[dims - 2] - origin[1] : 0;
    at.z = dims > 2 ? start[0] - origin[0] : 0;
}
template <int dims>
PYRAD_TARGET PYRAD_ALWAYS void weigh(const GridPlan<float> &plan, i64 s, Place &at) {
    const float *t = plan.offset + s * dims;
    at.weight_x = horner(at.table, at.degree, t[dims - 1]);
    if (dims > 1)
        _mm256_store_ps(at.weight_y + 8, horner(at.table, at.degree, t[dims - 2]));
    if (dims > 2)
        _mm256_store_ps(at.weight_z, horner(at.table, at.degree, t[0]));
}

template <int dims, int reals, int width>
PYRAD_TARGET PYRAD_ALWAYS bool wraps(const Place &at, const Shape3 &cells, int more_lines) {
    return (at.x + Slab<reals, width>::cells > cells[2]) |
           (dims > 1 && at.y + width + more_lines > cells[1]) |
           (dims > 2 && at.z + width > cells[0]);
}

template <int dims, int reals, int width>
PYRAD_TARGET PYRAD_ALWAYS void gather_place(const float *grid, const Shape3 &cells, const Place &at,
                                            float *out) {
    using S = Slab<reals, width>;
    using F = typename P::F;
    constexpr int sets = S::vectors <= 4 && dims > 1 ? 2 : 1;
    // As many sums at a time as there are registers for.
    constexpr int most = P::width == 16 ? 24 : 12;
    constexpr int passes = (S::vectors + most - 1) / most;
    constexpr int each = (S::vectors + passes - 1) / passes;
    const i64 row = cells[2] * reals, plane = cells[1] * row;
    const float *first = grid + at.z * plane + at.y * row + at.x * reals;
    constexpr int kinds = reals > P::width ? P::kinds(reals) : 1; // vectors until cells repeat
    F total[kinds];
    for (int k = 0; k < kinds; ++k)
        total[k] = P::all(0.0f);
#pragma GCC unroll 8
    for (int pass = 0; pass < passes; ++pass) {
        F sum[sets][each];
#pragma GCC unroll 2
        for (int k = 0; k < sets; ++k)
#pragma GCC unroll 24
            for (int v = 0; v < each; ++v)
                sum[k][v] = P::all(0.0f);
        for (int i = 0; i < (dims > 2 ? width : 1); ++i) {
#pragma GCC unroll 8
            for (int j = 0; j < (dims > 1 ? width : 1); ++j) {
                const float *line = first + i * plane + j * row + pass * each * P::width;
                F weight;
                if (dims > 2)
                    weight = P::all(at.weight_z[i]) * P::all(at.weight_y[8 + j]);
                else if (dims > 1)
                    weight = P::all(at.weight_y[8 + j]);
#pragma GCC unroll 24
                for (int v = 0; v < each; ++v) {
                    const int vector = pass * each + v;
                    if (vector >= S::vectors)
                        continue;
                    const F cell = S::tail && vector == S::vectors - 1
                                       ? P::template load_first<S::tail>(line + v * P::width)
                                       : P::load(line + v * P::width);
                    if (dims > 1)
                        sum[j % sets][v] = P::fma(weight, cell, sum[j % sets][v]);
                    else
                        sum[0][v] = cell;
                }
            }
        }
#pragma GCC unroll 24
        for (int v = 0; v < each; ++v) {
            const int vector = pass * each + v;
            if (vector >= S::vectors)
                continue;
            F all = sum[0][v];
            if (sets > 1)
                all = all + sum[sets - 1][v];
            const F weights =
                P::pick(at.weight_x, pattern_of<reals, width>.index[at.shift][vector]);
            total[vector % kinds] = P::fma(weights, all, total[vector % kinds]);
        }
    }
    P::template store_coils<reals>(total, out);
}

// Any position, periodic: cell by cell. The order of the sums is that of a plain loop. Few samples
// come here: axes and width as constants would only cost time to compile.
template <int reals>
PYRAD_TARGET static void gather_wrapped(int dims, int width, const float *grid, const Shape3 &cells,
                                        const Place &at, float *out) {
    alignas(32) float wx[8];
    _mm256_store_ps(wx, at.weight_x);
    float sum[reals] = {};
    for (int i = 0; i < (dims > 2 ? width : 1); ++i)
        for (int j = 0; j < (dims > 1 ? width : 1); ++j)
            for (int k = 0; k < width; ++k) {
                const i64 z = (at.z + i) % cells[0], y = (at.y + j) % cells[1],
                          x = (at.x + at.shift + k) % cells[2];
                const float w = (dims > 2 ? at.weight_z[i] : 1.0f) *
                                (dims > 1 ? at.weight_y[8 + j] : 1.0f) * wx[k];
                const float *cell = grid + ((z * cells[1] + y) * cells[2] + x) * reals;
                for (int c = 0; c < reals; ++c)
                    sum[c] += w * cell[c];
            }
    for (int c = 0; c < reals; ++c)
        out[c] = sum[c];
}

template <int reals>
PYRAD_TARGET static void scatter_wrapped(int dims, int width, const float *value, const Place &at,
                                         const Shape3 &cells, float *grid) {
    alignas(32) float wx[8];
    _mm256_store_ps(wx, at.weight_x);
    for (int i = 0; i < (dims > 2 ? width : 1); ++i)
        for (int j = 0; j < (dims > 1 ? width : 1); ++j)
            for (int k = 0; k < width; ++k) {
                const i64 z = (at.z + i) % cells[0], y = (at.y + j) % cells[1],
                          x = (at.x + at.shift + k) % cells[2];
                const float w = (dims > 2 ? at.weight_z[i] : 1.0f) *
                                (dims > 1 ? at.weight_y[8 + j] : 1.0f) * wx[k];
                float *cell = grid + ((z * cells[1] + y) * cells[2] + x) * reals;
                for (int c = 0; c < reals; ++c)
                    cell[c] += w * value[c];
            }
}

// Asks for the cache lines of one sample.
template <int reals, int write> PYRAD_TARGET PYRAD_ALWAYS void expect(const float *p) {
    for (int i = 0; i < reals; i += 16)
        __builtin_prefetch(p + i, write);
    __builtin_prefetch(p + reals - 1, write);
}

template <int dims, int reals, int width>
PYRAD_TARGET static void gather(const GridView<const float> &grid, const GridPlan<float> &plan,
                                const float *table, i64 begin, i64 end,
                                const SampleValues<float> &samples) {
    alignas(32) float narrow[(max_degree + 1) * 8];
    copy_table(table, plan.degree, narrow);
    Place at{};
    at.table = narrow;
    at.degree = plan.degree;
    for (i64 s = begin; s < end; ++s) {
        if (samples.place)
            expect<reals, 1>(samples.of(s + look_ahead < end ? s + look_ahead : s, reals));
        float *out = samples.of(s, reals);
        locate<dims, Slab<reals, width>::align>(plan, grid.origin, s, at);
        weigh<dims>(plan, s, at);
        if (wraps<dims, reals, width>(at, grid.cells, 0))
            gather_wrapped<reals>(dims, width, grid.values, grid.cells, at, out);
        else
            gather_place<dims, reals, width>(grid.values, grid.cells, at, out);
    }
}

// Adds one sample (pair false) or two that share columns, the second `down` lines further.
template <int dims, int reals, int width, bool pair>
PYRAD_TARGET PYRAD_ALWAYS void scatter_place(const float *in, const float *next, const Place &a,
                                             const Place &b, int down, const Shape3 &cells,
                                             float *grid) {
    using S = Slab<reals, width>;
    using F = typename P::F;
    constexpr int most = P::width == 16 ? (pair ? 12 : 16) : (pair ? 6 : 9);
    constexpr int passes = (S::vectors + most - 1) / most;
    constexpr int each = (S::vectors + passes - 1) / passes;
    const i64 row = cells[2] * reals, plane = cells[1] * row;
    float *first = grid + a.z * plane + a.y * row + a.x * reals;
    const int lines = dims > 1 ? width + (pair ? down : 0) : 1;
    const float *by = b.weight_y + 8 - down;
#pragma GCC unroll 4
    for (int pass = 0; pass < passes; ++pass) {
        F ua[each], ub[each];
#pragma GCC unroll 24
        for (int v = 0; v < each; ++v) {
            const int vector = pass * each + v;
            if (vector >= S::vectors)
                continue;
            const auto *index = pattern_of<reals, width>.index[a.shift][vector];
            ua[v] = P::pick(a.weight_x, index) * P::template load_coils<reals>(in, vector);
            if (pair) {
                const auto *other = pattern_of<reals, width>.index[b.shift][vector];
                ub[v] = P::pick(b.weight_x, other) * P::template load_coils<reals>(next, vector);
            }
        }
        for (int i = 0; i < (dims > 2 ? width : 1); ++i)
            for (int j = 0; j < lines; ++j) {
                float *line = first + i * plane + j * row + pass * each * P::width;
                F wa = P::all(dims > 1 ? a.weight_y[8 + j] : 1.0f), wb = wa;
                if (pair)
                    wb = P::all(dims > 1 ? by[j] : 1.0f);
                if (dims > 2) {
                    wa = wa * P::all(a.weight_z[i]);
                    if (pair)
                        wb = wb * P::all(b.weight_z[i]);
                }
#pragma GCC unroll 24
                for (int v = 0; v < each; ++v) {
                    const int vector = pass * each + v;
                    if (vector >= S::vectors)
                        continue;
                    const bool partial = S::tail && vector == S::vectors - 1;
                    float *to = line + v * P::width;
                    F cell = partial ? P::template load_first<S::tail>(to) : P::load(to);
                    cell = P::fma(wa, ua[v], cell);
                    if (pair)
                        cell = P::fma(wb, ub[v], cell);
                    if (partial)
                        P::template store_first<S::tail>(to, cell);
                    else
                        P::store(to, cell);
                }
            }
    }
}

constexpr int most_down = 2; // lines between two samples that are scattered together

template <int dims, int reals, int width>
PYRAD_TARGET static void scatter(const SampleValues<const float> &samples, const float *density,
                                 const GridPlan<float> &plan, const float *table, i64 begin,
                                 i64 end, const GridView<float> &grid) {
    constexpr int align = Slab<reals, width>::align;
    alignas(32) float narrow[(max_degree + 1) * 8];
    copy_table(table, plan.degree, narrow);
    Place a{}, b{};
    a.table = b.table = narrow;
    a.degree = b.degree = plan.degree;
    for (i64 s = begin; s < end;) {
        const float *value = samples.of(s, reals);
        if (samples.place)
            for (int k = 0; k < 2; ++k)
                expect<reals, 0>(
                    samples.of(s + k + look_ahead < end ? s + k + look_ahead : s, reals));
        locate<dims, align>(plan, grid.origin, s, a);
        weigh<dims>(plan, s, a);
        if (density)
            a.weight_x = a.weight_x * _mm256_set1_ps(density[s]);
        if (s + 1 < end) {
            locate<dims, align>(plan, grid.origin, s + 1, b);
            const i64 down = b.y - a.y;
            if (b.x == a.x && b.z == a.z && down >= 0 && down <= most_down &&
                !wraps<dims, reals, width>(a, grid.cells, static_cast<int>(down))) {
                weigh<dims>(plan, s + 1, b);
                if (density)
                    b.weight_x = b.weight_x * _mm256_set1_ps(density[s + 1]);
                const float *next = samples.of(s + 1, reals);
                scatter_place<dims, reals, width, true>(value, next, a, b, static_cast<int>(down),
                                                        grid.cells, grid.values);
                s += 2;
                continue;
            }
        }
        if (wraps<dims, reals, width>(a, grid.cells, 0))
            scatter_wrapped<reals>(dims, width, value, a, grid.cells, grid.values);
        else
            scatter_place<dims, reals, width, false>(value, value, a, a, 0, grid.cells,
                                                     grid.values);
        ++s;
    }
}

template <int dims, int reals, int width> GriddingLoops<float> loops() {
    return {gather<dims, reals, width>, scatter<dims, reals, width>};
}

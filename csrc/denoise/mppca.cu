// CUDA twin of mppca.cpp: one block of threads per window. The Gram matrix is reduced to
// tridiagonal form with one thread per row, each thread bisects for one eigenvalue, then finds and
// transforms back one vector. A launch takes windows `step` apart along each axis, so that those
// which are added up do not overlap. Matrices are double precision for any samples.
#include "denoise/mppca_math.hpp"

namespace {

using namespace pyrad;

PYRAD_HD double re(double a) { return a; }
PYRAD_HD double re(c128 a) { return a.re; }
PYRAD_HD double conj(double a) { return a; }
PYRAD_HD double norm2(double a) { return a * a; }
PYRAD_HD double scaled(double s, double a) { return s * a; }
PYRAD_HD c128 scaled(double s, c128 a) { return {s * a.re, s * a.im}; }
PYRAD_HD double wide(float a) { return a; }
PYRAD_HD double wide(double a) { return a; }
PYRAD_HD c128 wide(c64 a) { return {a.re, a.im}; }
PYRAD_HD c128 wide(c128 a) { return a; }
PYRAD_HD void narrow(double a, float &to) { to = static_cast<float>(a); }
PYRAD_HD void narrow(double a, double &to) { to = a; }
PYRAD_HD void narrow(c128 a, c64 &to) { to = {static_cast<float>(a.re), static_cast<float>(a.im)}; }
PYRAD_HD void narrow(c128 a, c128 &to) { to = a; }

PYRAD_HD double one(double) { return 1; }
PYRAD_HD c128 one(c128) { return {1.0, 0.0}; }

// Of the windows along axis d, a launch takes first, first + step, ...
struct Box {
    i64 size[3], window[3], count[3], first[3], step[3];
    const i64 *origins[3], *owned[3];

    PYRAD_HD explicit Box(const i64 *table) {
        const i64 *lists = table + 15;
        for (int d = 0; d < 3; ++d) {
            size[d] = table[d];
            window[d] = table[3 + d];
            count[d] = table[6 + d];
            first[d] = table[9 + d];
            step[d] = table[12 + d];
            origins[d] = lists;
            owned[d] = lists + count[d];
            lists = owned[d] + count[d] + 1;
        }
    }
    PYRAD_HD i64 launched(int d) const { return (count[d] - first[d] + step[d] - 1) / step[d]; }
    PYRAD_HD i64 voxels() const { return size[0] * size[1] * size[2]; }
    PYRAD_HD i64 place(i64 z, i64 y, i64 x) const { return (z * size[1] + y) * size[2] + x; }
};

// Arrays of one block of threads; stride: numbers from one row of the matrix to the next.
template <class S> struct Room {
    int n, stride;
    S *matrix, *vectors, *u, *p, *phase, *column; // vectors[i][k], of the matrix
    double *basis, *up; // [i][k]: vectors of T, pivots (where vectors are)
    double *beta, *diagonal, *off, *squares, *values, *unused;

    __device__ Room(double *memory, int n_) : n(n_), stride(n_ | 1) {
        const auto take = [&](i64 numbers) {
            double *const start = memory;
            memory += numbers;
            return start;
        };
        constexpr int parts = sizeof(S) / sizeof(double);
        matrix = reinterpret_cast<S *>(take(static_cast<i64>(n) * stride * parts));
        up = take(static_cast<i64>(n) * n * parts);
        vectors = reinterpret_cast<S *>(up);
        basis = take(static_cast<i64>(n) * n + n * n % 2);
        u = reinterpret_cast<S *>(take(n * parts));
        p = reinterpret_cast<S *>(take(n * parts));
        phase = reinterpret_cast<S *>(take(n * parts));
        beta = take(n);
        diagonal = take(n);
        off = take(n);
        squares = take(n);
        values = take(n);
        unused = take(n);
        column = reinterpret_cast<S *>(memory);
    }
};

// (z, y) line `line` of the window, all volumes, into column[volume][x].
template <class S, class C>
__device__ void load_line(const C *dwi, int volumes, const Box &box, const i64 *origin, i64 line,
                          S *column) {
    const i64 width = box.window[2];
    const i64 z = origin[0] + line / box.window[1], y = origin[1] + line % box.window[1];
    const i64 at = box.place(z, y, origin[2]), voxels = box.voxels();
    for (i64 e = threadIdx.x; e < volumes * width; e += blockDim.x)
        column[e] = wide(dwi[e / width * voxels + at + e % width]);
}

// Lower triangle of sum_x column[i][x] conj(column[j][x]), over all lines.
template <class S, class C>
__device__ void volume_gram(const C *dwi, int volumes, const Box &box, const i64 *origin,
                            const Room<S> &room) {
    const int width = static_cast<int>(box.window[2]);
    for (int e = threadIdx.x; e < room.n * room.stride; e += blockDim.x)
        room.matrix[e] = S{};
    for (i64 line = 0; line < box.window[0] * box.window[1]; ++line) {
        __syncthreads();
        load_line(dwi, volumes, box, origin, line, room.column);
        __syncthreads();
        for (int i = 0; i < room.n; ++i)
            for (int j = threadIdx.x; j <= i; j += blockDim.x) {
                S sum = room.matrix[i * room.stride + j];
                for (int x = 0; x < width; ++x)
                    sum = sum + room.column[i * width + x] * conj(room.column[j * width + x]);
                room.matrix[i * room.stride + j] = sum;
            }
    }
}

PYRAD_HD i64 voxel_at(const Box &box, const i64 *origin, i64 p) {
    const i64 x = p % box.window[2], y = p / box.window[2] % box.window[1];
    const i64 z = p / (box.window[2] * box.window[1]);
    return box.place(origin[0] + z, origin[1] + y, origin[2] + x);
}

// Lower triangle of sum_v conj(x_i) x_j over volumes, for voxels i and j.
template <class S, class C>
__device__ void voxel_gram(const C *dwi, int volumes, const Box &box, const i64 *origin,
                           const Room<S> &room) {
    const i64 voxels = box.voxels();
    for (int i = 0; i < room.n; ++i)
        for (int j = threadIdx.x; j <= i; j += blockDim.x) {
            const C *a = dwi + voxel_at(box, origin, i), *b = dwi + voxel_at(box, origin, j);
            S sum{};
            for (i64 v = 0; v < volumes; ++v)
                sum = sum + conj(wide(a[v * voxels])) * wide(b[v * voxels]);
            room.matrix[i * room.stride + j] = sum;
        }
}

// alpha = -(phase of last) root; 1 / beta of the reflector is root (root + |last|).
PYRAD_HD double turned(double last, double root) { return last > 0 ? -root : root; }
PYRAD_HD c128 turned(c128 last, double root) {
    const double size = sqrt(pyrad::norm2(last));
    return size > 0 ? c128{-root * last.re / size, -root * last.im / size} : c128{-root, 0.0};
}

// off[k] and the phase of row k - 1: T is made real.
PYRAD_HD void keep_phase(double alpha, double, double &off, double &phase) {
    off = alpha;
    phase = 1;
}
PYRAD_HD void keep_phase(c128 alpha, c128 after, double &off, c128 &phase) {
    off = sqrt(pyrad::norm2(alpha));
    phase = off > 0 ? (1 / off) * (alpha * after) : after;
}

// As mppca_tridiagonal.inl, on the full matrix; row k keeps its reflector.
template <class S> __device__ void tridiagonalise(const Room<S> &room) {
    const int n = room.n, stride = room.stride;
    S *a = room.matrix;
    __syncthreads();
    for (int i = 0; i < n; ++i)
        for (int j = threadIdx.x; j < i; j += blockDim.x)
            a[j * stride + i] = conj(a[i * stride + j]);
    S after = one(S{});
    if (threadIdx.x == 0)
        room.phase[n - 1] = after;
    for (int k = n - 1; k >= 1; --k) {
        __syncthreads();
        double norm = 0;
        for (int j = 0; j < k; ++j)
            norm += norm2(a[j * stride + k]);
        const S last = a[(k - 1) * stride + k];
        const double size2 = norm2(last), root = sqrt(norm);
        const bool reduced = norm - size2 <= 1e-300;
        const S alpha = reduced ? last : turned(last, root);
        const double beta = reduced ? 0.0 : 1 / (root * (root + sqrt(size2)));
        double off;
        S phase;
        keep_phase(alpha, after, off, phase);
        after = phase;
        if (threadIdx.x == 0) {
            room.beta[k] = beta;
            room.off[k] = off;
            room.phase[k - 1] = phase;
            room.diagonal[k] = re(a[k * stride + k]);
        }
        for (int j = threadIdx.x; j < k; j += blockDim.x)
            room.u[j] = j == k - 1 ? last - alpha : a[j * stride + k];
        __syncthreads();
        for (int i = threadIdx.x; i < k; i += blockDim.x) {
            S sum{};
            for (int j = 0; j < k; ++j)
                sum = sum + a[i * stride + j] * room.u[j];
            room.p[i] = scaled(beta, sum);
            a[k * stride + i] = room.u[i];
        }
        __syncthreads();
        double dot = 0;
        for (int j = 0; j < k; ++j)
            dot += re(conj(room.u[j]) * room.p[j]);
        const double shift = 0.5 * beta * dot;
        for (int i = threadIdx.x; i < k; i += blockDim.x) {
            const S v = room.u[i], w = room.p[i] - scaled(shift, v);
            for (int j = 0; j < k; ++j) {
                const S vj = room.u[j], wj = room.p[j] - scaled(shift, vj);
                a[i * stride + j] = a[i * stride + j] - v * conj(wj) - w * conj(vj);
            }
        }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        room.diagonal[0] = re(a[0]);
        room.off[0] = 0;
    }
    __syncthreads();
}

// Eigenvalues of T above x: changes of sign among the leading minors of x - T.
__device__ int count_above(const double *d, const double *squares, int n, double x) {
    double p0 = 1, p1 = x - d[0];
    int count = p1 < 0;
    for (int i = 1; i < n; ++i) {
        const double p2 = (x - d[i]) * p1 - squares[i] * p0;
        count += (p2 < 0) != (p1 < 0);
        p0 = p1;
        p1 = p2;
        if (i % 8 == 7) { // far from overflow
            const double size = fabs(p0) + fabs(p1), scale = size > 0 ? 1 / size : 1.0;
            p0 *= scale;
            p1 *= scale;
        }
    }
    return count;
}

// T over its trace, which is returned, and all eigenvalues, largest first.
template <class S> __device__ double find_values(const Room<S> &room) {
    const int n = room.n;
    double trace = 0;
    for (int i = 0; i < n; ++i)
        trace += room.diagonal[i];
    __syncthreads();
    const double scale = trace > 0 ? 1 / trace : 0.0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        room.diagonal[i] *= scale;
        room.off[i] *= scale;
        room.squares[i] = room.off[i] * room.off[i];
    }
    __syncthreads();
    for (int k = threadIdx.x; k < n; k += blockDim.x) {
        double low = -1e-13, high = 1 + 1e-13;
        for (int step = 0; step < 52; ++step) {
            const double middle = 0.5 * (low + high);
            const bool above = count_above(room.diagonal, room.squares, n, middle) > k;
            low = above ? middle : low;
            high = above ? high : middle;
        }
        const double value = 0.5 * (low + high);
        room.values[k] = value > mppca::zero_level(n) ? value : 0.0;
    }
    __syncthreads();
    return trace;
}

struct Noise {
    int rank; // n where there is none
    double variance;
};

__device__ Noise find_noise(const double *values, int n, const mppca::Rule &rule, double trace) {
    double rest = 1;
    for (int k = 0; k < n && trace > 0 && values[k] > 0 && rest > mppca::zero_level(n); ++k) {
        const double c = n - k, gap = values[k] - values[n - 1], mean = rest / c;
        if (gap <= 0 || gap * gap < mppca::edge_factor(rule, n, n - k) * mean * mean)
            return {k, mean / rule.longer * trace};
        rest -= values[k];
    }
    return {n, 0.0};
}

PYRAD_HD double pivot(double x) { return fabs(x) < 1e-18 ? 1e-18 : x; }

// Eigenvector of T as in mppca_spectrum.inl, by one thread; u and up have entries `stride` apart.
template <class S>
__device__ void twisted_vector(const Room<S> &room, double value, const double *unused, double *u,
                               double *up) {
    const int n = room.n;
    const double *d = room.diagonal, *off = room.off, *c = room.squares;
    u[0] = pivot(d[0] - value);
    up[(n - 1) * n] = pivot(d[n - 1] - value);
    for (int i = 1, j = n - 2; i < n; ++i, --j) {
        u[i * n] = pivot(d[i] - value - c[i] / u[(i - 1) * n]);
        up[j * n] = pivot(d[j] - value - c[j + 1] / up[(j + 1) * n]);
    }
    int twist = 0;
    double best = 1e300, weight = 1;
    for (int i = 0; i < n; ++i) {
        const double size = fabs(u[i * n] + up[i * n] - (d[i] - value));
        const double left = unused ? unused[i] : 1.0;
        if (size * weight < best * left) {
            twist = i;
            best = size;
            weight = left;
        }
    }
    u[twist * n] = 1;
    for (int i = twist - 1; i >= 0; --i)
        u[i * n] = -off[i + 1] * u[(i + 1) * n] / u[i * n];
    for (int i = twist + 1; i < n; ++i)
        u[i * n] = -off[i] * u[(i - 1) * n] / up[i * n];
    double norm = 0;
    for (int i = 0; i < n; ++i)
        norm += u[i * n] * u[i * n];
    const double scale = 1 / sqrt(norm);
    for (int i = 0; i < n; ++i)
        u[i * n] *= scale;
}

// Takes the parts along the vectors before k out of vector k, twice, by one thread; returns what
// was left of its squared length after the first time.
__device__ double orthogonalise(double *vectors, int n, int k) {
    double left = 1;
    for (int pass = 0; pass < 2; ++pass) {
        for (int m = 0; m < k; ++m) {
            double dot = 0;
            for (int i = 0; i < n; ++i)
                dot += vectors[i * n + m] * vectors[i * n + k];
            for (int i = 0; i < n; ++i)
                vectors[i * n + k] -= dot * vectors[i * n + m];
        }
        double norm = 0;
        for (int i = 0; i < n; ++i)
            norm += vectors[i * n + k] * vectors[i * n + k];
        left = pass == 0 ? norm : left;
        const double scale = norm > 0 ? 1 / sqrt(norm) : 0.0;
        for (int i = 0; i < n; ++i)
            vectors[i * n + k] *= scale;
    }
    return left;
}

// The first `rank` vectors of T. Values close to each other may give one vector twice; the second
// then begins anew, where those before are small.
template <class S> __device__ void find_vectors(const Room<S> &room, int rank) {
    const int n = room.n;
    for (int k = threadIdx.x; k < rank; k += blockDim.x)
        twisted_vector(room, room.values[k], nullptr, room.basis + k, room.up + k);
    __syncthreads();
    for (int k = 1; k < rank && threadIdx.x == 0; ++k) {
        if (room.values[k - 1] - room.values[k] > 1e-8 || orthogonalise(room.basis, n, k) > 1e-3)
            continue;
        for (int i = 0; i < n; ++i) {
            double left = 1;
            for (int m = 0; m < k; ++m)
                left -= room.basis[i * n + m] * room.basis[i * n + m];
            room.unused[i] = left > 1e-12 ? left : 1e-12;
        }
        twisted_vector(room, room.values[k], room.unused, room.basis + k, room.up + k);
        orthogonalise(room.basis, n, k);
    }
    __syncthreads();
}

// Vectors of the matrix from those of T, one thread for each.
template <class S> __device__ void transform_back(const Room<S> &room, int rank) {
    const int n = room.n;
    for (int t = threadIdx.x; t < rank; t += blockDim.x) {
        S *z = room.vectors + t;
        for (int i = 0; i < n; ++i)
            z[i * n] = scaled(room.basis[i * n + t], room.phase[i]);
        for (int k = 1; k < n; ++k) {
            const S *v = room.matrix + k * room.stride;
            S dot{};
            for (int j = 0; j < k; ++j)
                dot = dot + conj(v[j]) * z[j * n];
            dot = scaled(room.beta[k], dot);
            for (int j = 0; j < k; ++j)
                z[j * n] = z[j * n] - dot * v[j];
        }
    }
    __syncthreads();
}

template <class C, class T> struct Target {
    C *out;
    T *sigma, *rank;
    double *weight; // sum of the windows' shares, or null: no average
};

PYRAD_HD void add(float &to, double x) { to += static_cast<float>(x); }
PYRAD_HD void add(double &to, double x) { to += x; }
PYRAD_HD void add(c64 &to, c128 x) {
    to = to + c64{static_cast<float>(x.re), static_cast<float>(x.im)};
}
PYRAD_HD void add(c128 &to, c128 x) { to = to + x; }

// Projection of one voxel; room.values holds the components' weights.
template <class S, class C, class T>
__device__ void project(const C *dwi, int volumes, const Box &box, const i64 *origin, bool dense,
                        i64 z, i64 y, i64 x, const Room<S> &room, const Noise &noise,
                        const Target<C, T> &target) {
    const i64 at = box.place(z, y, x), voxels = box.voxels();
    const int n = room.n, rank = noise.rank;
    const bool whole = rank == n;
    const double share = 1.0 / (1 + rank);
    __syncthreads();
    for (int i = threadIdx.x; i < n && !dense; i += blockDim.x)
        room.u[i] = wide(dwi[i * voxels + at]);
    __syncthreads();
    const int own = static_cast<int>(
        ((z - origin[0]) * box.window[1] + y - origin[1]) * box.window[2] + x - origin[2]);
    for (int t = threadIdx.x; t < rank && !whole; t += blockDim.x) {
        S dot{};
        if (dense)
            dot = conj(room.vectors[own * n + t]);
        else
            for (int i = 0; i < n; ++i)
                dot = dot + conj(room.vectors[i * n + t]) * room.u[i];
        room.p[t] = scaled(room.values[t], dot);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < n && !whole; i += blockDim.x) {
        S sum{};
        for (int t = 0; t < rank; ++t)
            sum = sum + room.vectors[i * n + t] * room.p[t];
        room.u[i] = sum;
    }
    __syncthreads();
    for (i64 v = threadIdx.x; v < volumes; v += blockDim.x) {
        S value = whole ? wide(dwi[v * voxels + at]) : dense ? S{} : room.u[v];
        if (dense && !whole)
            for (int i = 0; i < n; ++i)
                value = value + wide(dwi[v * voxels + voxel_at(box, origin, i)]) * room.u[i];
        if (target.weight)
            add(target.out[v * voxels + at], scaled(share, value));
        else
            narrow(value, target.out[v * voxels + at]);
    }
    if (threadIdx.x == 0) {
        const double variance = noise.variance * sizeof(double) / sizeof(S);
        if (target.weight) {
            target.weight[at] += share;
            add(target.sigma[at], share * variance);
            add(target.rank[at], share * rank);
        } else {
            target.sigma[at] = static_cast<T>(sqrt(variance));
            target.rank[at] = static_cast<T>(rank);
        }
    }
}

// From and to: voxels whose results are wanted.
template <class S, class C, class T>
__device__ void window(const C *dwi, int volumes, const Box &box, const i64 *origin,
                       const i64 (&from)[3], const i64 (&to)[3], const u8 *mask,
                       const mppca::Rule &rule, const Room<S> &room, const Target<C, T> &target) {
    const bool dense = volumes > room.n;
    if (dense)
        voxel_gram(dwi, volumes, box, origin, room);
    else
        volume_gram(dwi, volumes, box, origin, room);
    tridiagonalise(room);
    const double trace = find_values(room);
    const Noise noise = find_noise(room.values, room.n, rule, trace);
    const bool whole = noise.rank == room.n;
    if (!whole) {
        find_vectors(room, noise.rank);
        transform_back(room, noise.rank);
    }
    for (int t = threadIdx.x; t < noise.rank && !whole; t += blockDim.x)
        room.values[t] = rule.shrinkage
                             ? sqrt(mppca::squared_shrinkage(room.values[t] * trace /
                                                                 (rule.longer * noise.variance),
                                                             room.n / rule.longer))
                             : 1.0;
    for (i64 z = from[0]; z < to[0]; ++z)
        for (i64 y = from[1]; y < to[1]; ++y)
            for (i64 x = from[2]; x < to[2]; ++x)
                if (!mask || mask[box.place(z, y, x)])
                    project(dwi, volumes, box, origin, dense, z, y, x, room, noise, target);
    __syncthreads();
}

template <class S, class C, class T>
__device__ void all_windows(const C *dwi, int volumes, int n, const i64 *table, const u8 *mask,
                            int masked, int exp2, int shrinkage, int average, double *scratch,
                            i64 scratch_numbers, C *out, T *sigma, T *rank, double *sums) {
    if (!masked)
        mask = nullptr;
    double *const weight = average ? sums : nullptr;
    PYRAD_DYNAMIC_SHARED(double, shared);
    const Box box(table);
    const Room<S> room(scratch_numbers ? scratch + blockIdx.x * scratch_numbers : shared, n);
    const i64 voxels = box.window[0] * box.window[1] * box.window[2];
    const double longer = static_cast<double>(volumes > voxels ? volumes : voxels);
    const mppca::Rule rule{longer, exp2 != 0, shrinkage != 0};
    const i64 ny = box.launched(1), nx = box.launched(2), count = box.launched(0) * ny * nx;
    for (i64 b = blockIdx.x; b < count; b += gridDim.x) {
        const i64 place[3] = {b / (ny * nx), b / nx % ny, b % nx};
        i64 origin[3], from[3], to[3];
        for (int d = 0; d < 3; ++d) {
            const i64 k = box.first[d] + place[d] * box.step[d];
            origin[d] = box.origins[d][k];
            from[d] = weight ? origin[d] : box.owned[d][k];
            to[d] = weight ? origin[d] + box.window[d] : box.owned[d][k + 1];
        }
        bool wanted = !mask;
        for (i64 z = from[0]; z < to[0] && !wanted; ++z)
            for (i64 y = from[1]; y < to[1] && !wanted; ++y)
                for (i64 x = from[2]; x < to[2] && !wanted; ++x)
                    wanted = mask[box.place(z, y, x)] != 0;
        if (wanted)
            window(dwi, volumes, box, origin, from, to, mask, rule, room,
                   Target<C, T>{out, sigma, rank, weight});
    }
}

} // namespace

PYRAD_KERNEL(mppca_f32)(const float *dwi, int volumes, int n, const pyrad::i64 *table,
                        const pyrad::u8 *mask, int masked, int exp2, int shrinkage, int average,
                        double *scratch, pyrad::i64 scratch_numbers, float *out, float *sigma,
                        float *rank, double *sums) {
    all_windows<double>(dwi, volumes, n, table, mask, masked, exp2, shrinkage, average, scratch,
                        scratch_numbers, out, sigma, rank, sums);
}

PYRAD_KERNEL(mppca_f64)(const double *dwi, int volumes, int n, const pyrad::i64 *table,
                        const pyrad::u8 *mask, int masked, int exp2, int shrinkage, int average,
                        double *scratch, pyrad::i64 scratch_numbers, double *out, double *sigma,
                        double *rank, double *sums) {
    all_windows<double>(dwi, volumes, n, table, mask, masked, exp2, shrinkage, average, scratch,
                        scratch_numbers, out, sigma, rank, sums);
}

PYRAD_KERNEL(mppca_c64)(const pyrad::c64 *dwi, int volumes, int n, const pyrad::i64 *table,
                        const pyrad::u8 *mask, int masked, int exp2, int shrinkage, int average,
                        double *scratch, pyrad::i64 scratch_numbers, pyrad::c64 *out, float *sigma,
                        float *rank, double *sums) {
    all_windows<pyrad::c128>(dwi, volumes, n, table, mask, masked, exp2, shrinkage, average,
                             scratch, scratch_numbers, out, sigma, rank, sums);
}

PYRAD_KERNEL(mppca_c128)(const pyrad::c128 *dwi, int volumes, int n, const pyrad::i64 *table,
                         const pyrad::u8 *mask, int masked, int exp2, int shrinkage, int average,
                         double *scratch, pyrad::i64 scratch_numbers, pyrad::c128 *out,
                         double *sigma, double *rank, double *sums) {
    all_windows<pyrad::c128>(dwi, volumes, n, table, mask, masked, exp2, shrinkage, average,
                             scratch, scratch_numbers, out, sigma, rank, sums);
}

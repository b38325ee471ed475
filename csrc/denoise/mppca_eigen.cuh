// Eigenvalue problem of one window by one block of threads, for mppca.cu: a thread per row, then
// per eigenvalue and per vector.
#pragma once

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
template <class S> __device__ __noinline__ void tridiagonalise(const Room<S> &room) {
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
__device__ __noinline__ int count_above(const double *d, const double *squares, int n, double x) {
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
template <class S> __device__ __noinline__ double find_values(const Room<S> &room) {
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
__device__ __noinline__ void twisted_vector(const Room<S> &room, double value, const double *unused,
                                            double *u, double *up) {
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
__device__ __noinline__ double orthogonalise(double *vectors, int n, int k) {
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
template <class S> __device__ __noinline__ void find_vectors(const Room<S> &room, int rank) {
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
template <class S> __device__ __noinline__ void transform_back(const Room<S> &room, int rank) {
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

} // namespace

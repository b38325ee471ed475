// CUDA twin of local_products.cpp: a block makes one product on 32 x 8 pixels of a plane. The
// products of the tile and its margin are added over z in shared memory, then along x, then along
// y.
#include "mr/local_products_math.hpp"

namespace {

using namespace pyrad;

constexpr int tile_x = 32, tile_y = 8;

struct Box {
    i64 shape[3], window[3], first[3], count[3];
};

template <class T>
__device__ void local_products(const Complex<T> *left, const Complex<T> *right, const i64 *chosen,
                               const Box &n, Complex<T> *sums, Complex<T> *out) {
    const int wide = tile_x + static_cast<int>(n.window[2]) - 1;
    const int high = tile_y + static_cast<int>(n.window[1]) - 1;
    Complex<T> *along = sums + wide * high; // [high][tile_x]
    const i64 tiles_x = (n.count[2] + tile_x - 1) / tile_x;
    const i64 x0 = blockIdx.x % tiles_x * tile_x, y0 = blockIdx.x / tiles_x * tile_y;
    const i64 z = blockIdx.y, product = blockIdx.z, plane = n.shape[1] * n.shape[2];
    const Complex<T> *a = left + n.shape[0] * plane * chosen[2 * product];
    const Complex<T> *b = right + n.shape[0] * plane * chosen[2 * product + 1];
    const i64 z_begin = box_begin(n.first[0] + z, n.window[0]);
    const i64 z_end = box_end(n.first[0] + z, n.window[0], n.shape[0]);
    for (int i = threadIdx.x; i < wide * high; i += blockDim.x) {
        const i64 x = n.first[2] + x0 + i % wide - n.window[2] / 2;
        const i64 y = n.first[1] + y0 + i / wide - n.window[1] / 2;
        Complex<T> sum{0, 0};
        if (x >= 0 && x < n.shape[2] && y >= 0 && y < n.shape[1])
            for (i64 zi = z_begin; zi < z_end; ++zi) {
                const i64 at = zi * plane + y * n.shape[2] + x;
                sum = sum + a[at] * conj(b[at]);
            }
        sums[i] = sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < tile_x * high; i += blockDim.x) {
        const Complex<T> *row = sums + i / tile_x * wide + i % tile_x;
        Complex<T> sum{0, 0};
        for (int d = 0; d < n.window[2]; ++d)
            sum = sum + row[d];
        along[i] = sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < tile_x * tile_y; i += blockDim.x) {
        const i64 x = x0 + i % tile_x, y = y0 + i / tile_x;
        if (x >= n.count[2] || y >= n.count[1])
            continue;
        Complex<T> sum{0, 0};
        for (int d = 0; d < n.window[1]; ++d)
            sum = sum + along[i + d * tile_x];
        out[((product * n.count[0] + z) * n.count[1] + y) * n.count[2] + x] = sum;
    }
}

} // namespace

PYRAD_KERNEL(local_products_c64)(const pyrad::Complex<float> *left,
                                 const pyrad::Complex<float> *right, const long long *chosen,
                                 long long shape0, long long shape1, long long shape2,
                                 long long window0, long long window1, long long window2,
                                 long long first0, long long first1, long long first2,
                                 long long count0, long long count1, long long count2,
                                 pyrad::Complex<float> *out) {
    PYRAD_DYNAMIC_SHARED(pyrad::Complex<float>, sums);
    local_products(left, right, chosen,
                   {{shape0, shape1, shape2},
                    {window0, window1, window2},
                    {first0, first1, first2},
                    {count0, count1, count2}},
                   sums, out);
}

PYRAD_KERNEL(local_products_c128)(const pyrad::Complex<double> *left,
                                  const pyrad::Complex<double> *right, const long long *chosen,
                                  long long shape0, long long shape1, long long shape2,
                                  long long window0, long long window1, long long window2,
                                  long long first0, long long first1, long long first2,
                                  long long count0, long long count1, long long count2,
                                  pyrad::Complex<double> *out) {
    PYRAD_DYNAMIC_SHARED(pyrad::Complex<double>, sums);
    local_products(left, right, chosen,
                   {{shape0, shape1, shape2},
                    {window0, window1, window2},
                    {first0, first1, first2},
                    {count0, count1, count2}},
                   sums, out);
}

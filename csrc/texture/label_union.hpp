// Disjoint sets of voxels that all threads unite at once (CUDA): parent[v] <= v, the smaller index
// wins. Komura, Comput. Phys. Commun. 194 (2015) 54, doi:10.1016/j.cpc.2015.04.015.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

__device__ inline int find(const int *parent, int v) {
    const volatile int *const p = parent;
    while (p[v] != v)
        v = p[v];
    return v;
}

__device__ inline void unite(int *parent, int a, int b) {
    for (;;) {
        a = find(parent, a);
        b = find(parent, b);
        if (a == b)
            return;
        const int low = min_of(a, b), high = max_of(a, b);
        const int old = atomicMin(&parent[high], low);
        if (old == high)
            return;
        a = low;
        b = old;
    }
}

} // namespace pyrad

// Graph of a co-occurrence table: grey levels are vertices, pairs of neighbours are edges. Its
// normalised adjacency D^-1/2 P D^-1/2 has an eigenvalue of absolute value 1 beside the trivial one
// exactly when the graph falls into parts or has no odd cycle (F. R. K. Chung, Spectral Graph
// Theory, 1997, lemma 1.7): when its double cover, with an edge (i, 0)-(j, 1) and (i, 1)-(j, 0) for
// every pair, falls into parts. Then Mcc is 1 and needs no eigenvalues. CPU and CUDA.
#pragma once

#include "base/portable.hpp"

namespace pyrad {

// Disjoint sets over the double cover; `parent` is scratch for 2 * vertices numbers.
struct DoubleCover {
    i32 *parent;
    i32 vertices, parts;

    PYRAD_HD DoubleCover(i32 *parent, i32 vertices)
        : parent(parent), vertices(vertices), parts(2 * vertices) {
        for (i32 node = 0; node < parts; ++node)
            parent[node] = node;
    }

    PYRAD_HD void add_pair(i32 i, i32 j) {
        unite(i, vertices + j);
        unite(vertices + i, j);
    }

    PYRAD_HD bool connected() const { return parts == 1; }

  private:
    PYRAD_HD i32 root(i32 node) const {
        while (parent[node] != node) {
            parent[node] = parent[parent[node]];
            node = parent[node];
        }
        return node;
    }

    PYRAD_HD void unite(i32 a, i32 b) {
        a = root(a);
        b = root(b);
        if (a == b)
            return;
        parent[max_of(a, b)] = min_of(a, b);
        --parts;
    }
};

} // namespace pyrad

// No mesh is stored. Each of the 256 cell codes has fixed triangles, so its area is a constant of
// the spacing, and its share of the volume, sum of det(a + p, b + p, c + p) / 6 over its triangles
// at the cell p, is linear in p: numbers of cells and sums of their positions are enough.
// Diameters: the vertices are the middles between a voxel and a differing neighbour. In every plane
// of equal z, y or x only the corners of the convex hull can be farthest apart, and only vertices
// that are corners in all their three planes can be so in space.
#include "texture/shape.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "texture/marching_cubes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

struct CellSums {
    i64 number = 0, z = 0, y = 0, x = 0;
};

using Codes = std::array<CellSums, 256>;

// A row of the mask with one voxel outside before and behind; rows beyond the mask are outside.
const u8 *padded_row(View<const u8, 3> mask, i64 z, i64 y, std::vector<u8> &row) {
    std::fill(row.begin(), row.end(), u8(0));
    if (z >= 0 && z < mask.shape[0] && y >= 0 && y < mask.shape[1])
        for (i64 x = 0; x < mask.shape[2]; ++x)
            row[x + 1] = mask(z, y, x) != 0;
    return row.data();
}

PYRAD_CLONES void cell_codes(const u8 *a, const u8 *b, const u8 *c, const u8 *d, i64 n,
                             u8 *__restrict code) {
    for (i64 x = 0; x < n; ++x)
        code[x] = static_cast<u8>(a[x] | a[x + 1] << 1 | b[x] << 2 | b[x + 1] << 3 | c[x] << 4 |
                                  c[x + 1] << 5 | d[x] << 6 | d[x + 1] << 7);
}

void add_codes(const u8 *code, i64 n, i64 z, i64 y, Codes &codes) {
    for (i64 begin = 0; begin < n; begin += 8) {
        u64 word = 1;
        if (begin + 8 <= n)
            std::memcpy(&word, code + begin, 8);
        if (word == 0 || word == ~u64(0))
            continue;
        for (i64 x = begin; x < std::min(begin + 8, n); ++x) {
            CellSums &sums = codes[code[x]];
            ++sums.number;
            sums.z += z;
            sums.y += y;
            sums.x += x;
        }
    }
}

// Cells [z, z + 1] of the padded mask, one slice of cells per task.
Codes count_codes(View<const u8, 3> mask) {
    const i64 ny = mask.shape[1] + 1, nx = mask.shape[2] + 1;
    std::vector<Codes> found(max_workers());
    parallel_for(mask.shape[0] + 1, 1, [&](i64 z, i64, int worker) {
        std::vector<u8> rows[2][2], code(nx);
        for (auto &pair : rows)
            for (auto &row : pair)
                row.resize(nx + 1);
        for (i64 dz = 0; dz < 2; ++dz)
            padded_row(mask, z - 1 + dz, -1, rows[dz][0]);
        for (i64 y = 0; y < ny; ++y) {
            for (i64 dz = 0; dz < 2; ++dz)
                padded_row(mask, z - 1 + dz, y, rows[dz][1]);
            cell_codes(rows[0][0].data(), rows[0][1].data(), rows[1][0].data(), rows[1][1].data(),
                       nx, code.data());
            add_codes(code.data(), nx, z, y, found[worker]);
            for (auto &pair : rows)
                pair[0].swap(pair[1]);
        }
    });
    Codes all{};
    for (const Codes &part : found)
        for (int c = 0; c < 256; ++c) {
            all[c].number += part[c].number;
            all[c].z += part[c].z;
            all[c].y += part[c].y;
            all[c].x += part[c].x;
        }
    return all;
}

struct Vector {
    double z, y, x;
};

Vector cross(Vector a, Vector b) {
    return {a.y * b.x - a.x * b.y, a.x * b.z - a.z * b.x, a.z * b.y - a.y * b.z};
}
Vector minus(Vector a, Vector b) { return {a.z - b.z, a.y - b.y, a.x - b.x}; }
double dot(Vector a, Vector b) { return a.z * b.z + a.y * b.y + a.x * b.x; }
double norm(Vector a) { return std::sqrt(dot(a, a)); }

void measure(const Codes &codes, const double *s, MeshShape &shape) {
    for (int code = 1; code < 255; ++code) {
        const CellSums &cells = codes[code];
        bool inside_out;
        const char *at = triangles_of(code, inside_out);
        const Vector sums{cells.z * s[0], cells.y * s[1], cells.x * s[2]};
        for (; cells.number && *at; at += 3) {
            Vector corner[3];
            for (int k = 0; k < 3; ++k) {
                const int *half = cell_edges[edge_number(at[k])];
                corner[k] = {half[0] * s[0] / 2, half[1] * s[1] / 2, half[2] * s[2] / 2};
            }
            const Vector normal = cross(minus(corner[1], corner[0]), minus(corner[2], corner[0]));
            const double det = dot(cross(corner[0], corner[1]), corner[2]);
            const double volume = cells.number * det + dot(normal, sums);
            shape.area += cells.number * 0.5 * norm(normal);
            shape.volume += (inside_out ? -volume : volume) / 6;
        }
    }
    shape.volume = std::abs(shape.volume);
}

// Smallest and largest coordinate along a line of vertices; empty: low > high.
struct Span {
    i32 low = 1 << 30, high = -1;

    void add(i64 at) {
        low = std::min(low, static_cast<i32>(at));
        high = std::max(high, static_cast<i32>(at));
    }
};

// Vertices in half voxels, by plane z: their extent along x per y, and along y per x.
struct Planes {
    std::array<i64, 3> n; // half voxels per axis
    std::vector<Span> along_x, along_y;

    explicit Planes(const std::array<i64, 3> &shape) {
        for (int d = 0; d < 3; ++d)
            n[d] = 2 * shape[d] + 1;
        along_x.resize(n[0] * n[1]);
        along_y.resize(n[0] * n[2]);
    }

    void add(i64 z, i64 y, i64 x) {
        along_x[z * n[1] + y].add(x);
        along_y[z * n[2] + x].add(y);
    }
};

// Calls found(x) where two rows of 0 and 1 differ.
template <class Found> void differences(const u8 *a, const u8 *b, i64 n, Found &&found) {
    for (i64 begin = 0; begin < n; begin += 8) {
        u64 left = 0, right = 0;
        const size_t size = static_cast<size_t>(std::min<i64>(8, n - begin));
        std::memcpy(&left, a + begin, size);
        std::memcpy(&right, b + begin, size);
        for (u64 rest = left ^ right; rest; rest &= rest - 1)
            found(begin + __builtin_ctzll(rest) / 8);
    }
}

void find_vertices(View<const u8, 3> mask, Planes &planes) {
    const i64 ny = mask.shape[1], nx = mask.shape[2];
    parallel_for(mask.shape[0] + 1, 1, [&](i64 z, i64, int) { // slice z and the gap before it
        std::vector<u8> here(nx + 2), before(nx + 2), below(nx + 2);
        for (i64 y = 0; y <= ny; ++y) {
            poll();
            padded_row(mask, z, y, here);
            padded_row(mask, z - 1, y, below);
            differences(here.data() + 1, before.data() + 1, nx,
                        [&](i64 x) { planes.add(2 * z + 1, 2 * y, 2 * x + 1); });
            differences(here.data() + 1, here.data(), nx + 1,
                        [&](i64 x) { planes.add(2 * z + 1, 2 * y + 1, 2 * x); });
            differences(here.data() + 1, below.data() + 1, nx,
                        [&](i64 x) { planes.add(2 * z, 2 * y + 1, 2 * x + 1); });
            here.swap(before);
        }
    });
}

struct Point {
    i32 u, v;
};

// Strict corners of the convex hull of points that are sorted by u, then v (Andrew 1979).
std::vector<Point> hull_of(const std::vector<Point> &points) {
    std::vector<Point> hull;
    const auto turns = [](Point a, Point b, Point c) {
        return i64(b.u - a.u) * (c.v - a.v) - i64(b.v - a.v) * (c.u - a.u) > 0;
    };
    const auto push = [&](Point p, size_t base) {
        while (hull.size() >= base + 2 && !turns(hull[hull.size() - 2], hull.back(), p))
            hull.pop_back();
        hull.push_back(p);
    };
    for (const Point &p : points)
        push(p, 0);
    const size_t base = hull.size() - 1;
    for (auto p = points.rbegin() + 1; p < points.rend(); ++p)
        push(*p, base);
    if (hull.size() > 1)
        hull.pop_back();
    return hull;
}

double farthest(const std::vector<Point> &points, double su, double sv) {
    double most = 0;
    for (const Point &a : points)
        for (const Point &b : points) {
            const double u = (a.u - b.u) * su, v = (a.v - b.v) * sv;
            most = std::max(most, u * u + v * v);
        }
    return most;
}

// Hulls of all planes perpendicular to an axis; spans hold, per plane and per u, the extent of v.
template <class SpanAt>
std::vector<std::vector<Point>> plane_hulls(i64 planes, i64 lines, double su, double sv,
                                            SpanAt &&span_at, double &diameter) {
    std::vector<std::vector<Point>> hulls(planes);
    std::vector<double> most(planes, 0.0);
    parallel_for(planes, 8, [&](i64 begin, i64 end, int) {
        std::vector<Point> points;
        for (i64 p = begin; p < end; ++p) {
            points.clear();
            for (i64 u = 0; u < lines; ++u) {
                const Span span = span_at(p, u);
                if (span.high < 0)
                    continue;
                points.push_back({static_cast<i32>(u), span.low});
                if (span.high > span.low)
                    points.push_back({static_cast<i32>(u), span.high});
            }
            if (points.empty())
                continue;
            hulls[p] = hull_of(points);
            most[p] = farthest(hulls[p], su, sv);
        }
    });
    diameter = std::sqrt(*std::max_element(most.begin(), most.end()));
    return hulls;
}

bool holds(const std::vector<Point> &hull, i32 u, i32 v) {
    return std::any_of(hull.begin(), hull.end(), [&](Point p) { return p.u == u && p.v == v; });
}

// Distances of all pairs of vertices, rows shared out in order.
double farthest_pair(View<i32, 2> vertices, i64 count, const double *half) {
    std::vector<double> most((count + 63) / 64, 0.0);
    parallel_for(count, 64, [&](i64 begin, i64 end, int) {
        double best = 0;
        for (i64 a = begin; a < end; ++a) {
            poll();
            for (i64 b = a + 1; b < count; ++b) {
                double square = 0;
                for (int d = 0; d < 3; ++d) {
                    const double apart = (vertices(a, d) - vertices(b, d)) * half[d];
                    square += apart * apart;
                }
                best = std::max(best, square);
            }
        }
        most[begin / 64] = best;
    });
    double best = 0;
    for (double square : most)
        best = std::max(best, square);
    return std::sqrt(best);
}

} // namespace

i64 mesh_capacity(const std::array<i64, 3> &shape) {
    return 2 * (2 * shape[0] + 1) * (2 * shape[1] + 1);
}

MeshShape mesh_shape(View<const u8, 3> mask, const double *spacing, View<i32, 2> vertices) {
    MeshShape shape{};
    measure(count_codes(mask), spacing, shape);
    Planes planes(mask.shape);
    find_vertices(mask, planes);
    const double half[3] = {spacing[0] / 2, spacing[1] / 2, spacing[2] / 2};
    const auto n = planes.n;
    const auto x_of = [&](i64 z, i64 y) { return planes.along_x[z * n[1] + y]; };
    const auto slices = plane_hulls(n[0], n[1], half[1], half[2], x_of, shape.slice);
    const auto columns = plane_hulls(
        n[1], n[0], half[0], half[2], [&](i64 y, i64 z) { return x_of(z, y); }, shape.column);
    const auto rows = plane_hulls(
        n[2], n[0], half[0], half[1], [&](i64 x, i64 z) { return planes.along_y[z * n[2] + x]; },
        shape.row);
    for (i64 z = 0; z < n[0]; ++z)
        for (const Point &p : slices[z])
            if (holds(columns[p.u], static_cast<i32>(z), p.v) &&
                holds(rows[p.v], static_cast<i32>(z), p.u)) {
                const i32 at[3] = {static_cast<i32>(z), p.u, p.v};
                std::copy(at, at + 3, &vertices(shape.extremes++, 0));
            }
    shape.whole = farthest_pair(vertices, shape.extremes, half);
    return shape;
}

void mask_moments(View<const u8, 3> mask, i64 *out) {
    const i64 ny = mask.shape[1], nx = mask.shape[2];
    std::vector<std::array<i64, 10>> parts(mask.shape[0]);
    parallel_for(mask.shape[0], 1, [&](i64 z, i64, int) {
        std::array<i64, 10> sums{};
        for (i64 y = 0; y < ny; ++y) {
            const u8 *row = &mask(z, y, 0);
            i64 n = 0, sx = 0, sxx = 0;
            for (i64 x = 0; x < nx; ++x) {
                const i64 inside = row[x] != 0;
                n += inside;
                sx += inside * x;
                sxx += inside * x * x;
            }
            const i64 more[10] = {n,         n * z, n * y,     sx,     n * z * z,
                                  n * y * y, sxx,   n * z * y, z * sx, y * sx};
            for (int k = 0; k < 10; ++k)
                sums[k] += more[k];
        }
        parts[z] = sums;
    });
    std::fill(out, out + 10, i64(0));
    for (const auto &part : parts)
        for (int k = 0; k < 10; ++k)
            out[k] += part[k];
}

} // namespace pyrad

#include "texture/oriented_box.hpp"

#include "base/pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace pyrad {
namespace {

struct Vector {
    double z, y, x;
};

Vector operator*(double s, Vector a) { return {s * a.z, s * a.y, s * a.x}; }
Vector operator+(Vector a, Vector b) { return {a.z + b.z, a.y + b.y, a.x + b.x}; }
double dot(Vector a, Vector b) { return a.z * b.z + a.y * b.y + a.x * b.x; }
Vector cross(Vector a, Vector b) {
    return {a.y * b.x - a.x * b.y, a.x * b.z - a.z * b.x, a.z * b.y - a.y * b.z};
}
Vector unit(Vector a) { return (1 / std::sqrt(dot(a, a))) * a; }

struct Point {
    double u, v;
};

// Corners of the convex hull in counter-clockwise order (Andrew 1979); sorts the points.
void hull_of(std::vector<Point> &points, std::vector<Point> &hull) {
    std::sort(points.begin(), points.end(),
              [](Point a, Point b) { return a.u < b.u || (a.u == b.u && a.v < b.v); });
    hull.clear();
    const auto push = [&](Point p, size_t base) {
        while (hull.size() >= base + 2) {
            const Point a = hull[hull.size() - 2], b = hull.back();
            if ((b.u - a.u) * (p.v - a.v) - (b.v - a.v) * (p.u - a.u) > 0)
                break;
            hull.pop_back();
        }
        hull.push_back(p);
    };
    for (const Point &p : points)
        push(p, 0);
    const size_t base = hull.size() - 1;
    for (auto p = points.rbegin() + 1; p < points.rend(); ++p)
        push(*p, base);
    if (hull.size() > 1)
        hull.pop_back();
}

struct Rectangle {
    double along = 0, across = 0, u = 1, v = 0;
    double area = std::numeric_limits<double>::infinity();
};

// Walks around the hull as long as the next corner lies farther in direction (u, v).
size_t farther(const std::vector<Point> &hull, size_t at, double u, double v) {
    const size_t n = hull.size();
    for (size_t steps = 0; steps < n; ++steps) {
        const Point a = hull[at], b = hull[(at + 1) % n];
        if ((b.u - a.u) * u + (b.v - a.v) * v < 0)
            break;
        at = (at + 1) % n;
    }
    return at;
}

Rectangle smallest_rectangle(const std::vector<Point> &hull) {
    Rectangle best;
    const size_t n = hull.size();
    size_t right = 0, top = 0, left = 0;
    for (size_t i = 0; i < n; ++i) {
        const Point a = hull[i], b = hull[(i + 1) % n];
        const double length = std::hypot(b.u - a.u, b.v - a.v);
        if (!(length > 0))
            continue;
        const double u = (b.u - a.u) / length, v = (b.v - a.v) / length;
        right = farther(hull, i == 0 ? 1 % n : right, u, v);
        top = farther(hull, i == 0 ? right : top, -v, u);
        left = farther(hull, i == 0 ? top : left, -u, -v);
        const double along =
            (hull[right].u - hull[left].u) * u + (hull[right].v - hull[left].v) * v;
        const double across = (hull[top].v - a.v) * u - (hull[top].u - a.u) * v;
        if (along * across < best.area)
            best = {along, across, u, v, along * across};
    }
    return n > 1 ? best : Rectangle{0, 0, 1, 0, 0};
}

constexpr int most_evaluations = 400;
constexpr double first_step = 0.15, last_step = 1e-5; // radians

// Volume of the box around points in local coordinates that is turned by a rotation vector.
struct TurnedBox {
    const std::vector<Vector> &points;
    double extent[3] = {};

    double volume(const double *r) {
        const double angle = std::sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]);
        const double a = angle > 0 ? std::sin(angle) / angle : 1.0;
        const double b = angle > 0 ? (1 - std::cos(angle)) / (angle * angle) : 0.5;
        double low[3], high[3];
        for (int d = 0; d < 3; ++d) { // row d of the rotation, Rodrigues' formula
            double row[3];
            for (int e = 0; e < 3; ++e)
                row[e] = (d == e ? std::cos(angle) : 0.0) + b * r[d] * r[e];
            row[(d + 1) % 3] -= a * r[(d + 2) % 3];
            row[(d + 2) % 3] += a * r[(d + 1) % 3];
            low[d] = std::numeric_limits<double>::infinity();
            high[d] = -low[d];
            for (const Vector &p : points) {
                const double at = row[0] * p.z + row[1] * p.y + row[2] * p.x;
                low[d] = std::min(low[d], at);
                high[d] = std::max(high[d], at);
            }
            extent[d] = high[d] - low[d];
        }
        return extent[0] * extent[1] * extent[2];
    }
};

struct Vertex {
    double at[3];
    double value;
};

// Simplex search from the box as it is; leaves the extents of the best one in `box`.
void nelder_mead(TurnedBox &box) {
    Vertex simplex[4] = {};
    for (int k = 0; k < 4; ++k) {
        if (k > 0)
            simplex[k].at[k - 1] = first_step;
        simplex[k].value = box.volume(simplex[k].at);
    }
    const auto moved = [&](const Vertex &from, const double *centre, double t) {
        Vertex to{};
        for (int d = 0; d < 3; ++d)
            to.at[d] = centre[d] + t * (from.at[d] - centre[d]);
        to.value = box.volume(to.at);
        return to;
    };
    for (int count = 4; count < most_evaluations;) {
        std::sort(simplex, simplex + 4, [](auto &a, auto &b) { return a.value < b.value; });
        double size = 0, centre[3] = {};
        for (int d = 0; d < 3; ++d)
            for (int k = 0; k < 4; ++k) {
                size = std::max(size, std::abs(simplex[k].at[d] - simplex[0].at[d]));
                centre[d] += k < 3 ? simplex[k].at[d] / 3 : 0.0;
            }
        if (size < last_step)
            break;
        Vertex next = moved(simplex[3], centre, -1);
        ++count;
        if (next.value < simplex[0].value) {
            const Vertex farther = moved(simplex[3], centre, -2);
            ++count;
            next = farther.value < next.value ? farther : next;
        } else if (next.value >= simplex[2].value) {
            next = moved(simplex[3], centre, next.value < simplex[3].value ? -0.5 : 0.5);
            ++count;
        }
        if (next.value < simplex[3].value) {
            simplex[3] = next;
            continue;
        }
        for (int k = 1; k < 4; ++k, ++count)
            simplex[k] = moved(simplex[k], simplex[0].at, 0.5);
    }
    const Vertex *best =
        std::min_element(simplex, simplex + 4, [](auto &a, auto &b) { return a.value < b.value; });
    box.volume(best->at);
}

} // namespace

void oriented_boxes(View<const double, 2> points, View<const double, 2> normals,
                    View<double, 2> boxes) {
    const i64 count = points.shape[0];
    parallel_for(normals.shape[0], 8, [&](i64 begin, i64 end, int) {
        std::vector<Point> flat(count), hull;
        for (i64 m = begin; m < end; ++m) {
            poll();
            const Vector w = unit({normals(m, 0), normals(m, 1), normals(m, 2)});
            const Vector axis = std::abs(w.z) < 0.6 ? Vector{1, 0, 0} : Vector{0, 0, 1};
            const Vector u = unit(cross(w, axis)), v = cross(w, u);
            double low = std::numeric_limits<double>::infinity(), high = -low;
            for (i64 k = 0; k < count; ++k) {
                const Vector p{points(k, 0), points(k, 1), points(k, 2)};
                const double height = dot(p, w);
                low = std::min(low, height);
                high = std::max(high, height);
                flat[k] = {dot(p, u), dot(p, v)};
            }
            hull_of(flat, hull);
            const Rectangle best = smallest_rectangle(hull);
            const Vector side = best.u * u + best.v * v;
            const double row[6] = {high - low, best.along, best.across, side.z, side.y, side.x};
            std::copy(row, row + 6, &boxes(m, 0));
        }
    });
}

void turn_boxes(View<const double, 2> points, View<const double, 3> axes, View<double, 2> extents) {
    parallel_for(axes.shape[0], 1, [&](i64 m, i64, int) {
        std::vector<Vector> local(points.shape[0]);
        for (i64 k = 0; k < points.shape[0]; ++k) {
            double at[3];
            for (int d = 0; d < 3; ++d)
                at[d] = points(k, 0) * axes(m, d, 0) + points(k, 1) * axes(m, d, 1) +
                        points(k, 2) * axes(m, d, 2);
            local[k] = {at[0], at[1], at[2]};
        }
        TurnedBox box{local};
        nelder_mead(box);
        std::copy(box.extent, box.extent + 3, &extents(m, 0));
    });
}

} // namespace pyrad

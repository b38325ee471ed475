#pragma GCC diagnostic ignored "-Wpsabi" // vectors pass between inlined functions only

#include "mr/toeplitz.hpp"

#include "base/pool.hpp"
#include "base/simd.hpp"
#include "mr/lane_line.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace pyrad {
namespace {

// Cells of a column task: whole cache lines, one line FFT each.
constexpr i64 column_reals = 64;

template <class T>
PYRAD_CLONES void times_spectrum(T *column, i64 length, i64 width, i64 cell, const T *spectrum,
                                 i64 stride) {
    for (i64 i = 0; i < length; ++i)
        for (i64 j = 0; j < width; j += cell) {
            const T factor = spectrum[i * stride + j / cell];
            T *value = column + i * width + j;
            for (i64 r = 0; r < cell; ++r)
                value[r] *= factor;
        }
}

template <class T>
PYRAD_CLONES void load_maps(const T *image, const T *maps, i64 lanes, i64 count, bool add,
                            T *line) {
    for (i64 i = 0; i < count; ++i) {
        const T re = image[2 * i], im = image[2 * i + 1];
        const T *map = maps + 2 * i * lanes;
        T *cell = line + 2 * i * lanes;
        if (add)
            for (i64 c = 0; c < lanes; ++c) {
                cell[2 * c] += map[2 * c] * re - map[2 * c + 1] * im;
                cell[2 * c + 1] += map[2 * c] * im + map[2 * c + 1] * re;
            }
        else
            for (i64 c = 0; c < lanes; ++c) {
                cell[2 * c] = map[2 * c] * re - map[2 * c + 1] * im;
                cell[2 * c + 1] = map[2 * c] * im + map[2 * c + 1] * re;
            }
    }
}

template <class T>
PYRAD_CLONES void store_maps(const T *line, const T *maps, i64 lanes, i64 count, T *image) {
    for (i64 i = 0; i < count; ++i) {
        const T *map = maps + 2 * i * lanes, *cell = line + 2 * i * lanes;
        T re = 0, im = 0;
        for (i64 c = 0; c < lanes; ++c) {
            re += map[2 * c] * cell[2 * c] + map[2 * c + 1] * cell[2 * c + 1];
            im += map[2 * c] * cell[2 * c + 1] - map[2 * c + 1] * cell[2 * c];
        }
        image[2 * i] = re;
        image[2 * i + 1] = im;
    }
}

template <class T>
PYRAD_CLONES void load_images(const T *images, i64 plane, i64 coils, i64 lanes, i64 count,
                              T *line) {
    for (i64 c = 0; c < coils; ++c)
        for (i64 i = 0; i < 2 * count; ++i)
            line[2 * (i / 2 * lanes + c) + i % 2] = images[2 * c * plane + i];
    for (i64 i = 0; coils < lanes && i < count; ++i)
        std::fill(line + 2 * (i * lanes + coils), line + 2 * (i + 1) * lanes, T(0));
}

template <class T>
PYRAD_CLONES void store_images(const T *line, i64 plane, i64 coils, i64 lanes, i64 count,
                               T *images) {
    for (i64 c = 0; c < coils; ++c)
        for (i64 i = 0; i < 2 * count; ++i)
            images[2 * c * plane + i] = line[2 * (i / 2 * lanes + c) + i % 2];
}

// One convolution over lanes; load(row, line) and store(row, line) move the pixels of an image row.
template <class T> struct Convolution {
    Shape3 size, cells;
    const T *spectrum;
    i64 lanes;
    T *work;
    i64 row_cells;
    LineFft<T> fft = line_fft<T>();
    std::vector<LineScratch<T>> scratch = std::vector<LineScratch<T>>(max_workers());

    i64 cell() const { return 2 * lanes; }
    i64 row() const { return row_cells * cell(); }
    i64 group() const { return std::max<i64>(1, column_reals / cell()); }
    int outer() const { return cells[0] > 1 ? 0 : cells[1] > 1 ? 1 : 2; }
    // Rows of one plane of `work`
    i64 plane_rows() const { return outer() == 0 ? cells[1] : size[1]; }

    template <class Load, class Store> void run(Load &&load, Store &&store) {
        const i64 rows = size[0] * size[1];
        const int outermost = outer();
        parallel_for(rows, 2, [&](i64 begin, i64 end, int worker) {
            for (i64 r = begin; r < end; ++r) {
                T *line = work + (r / size[1] * plane_rows() + r % size[1]) * row();
                load(r, line);
                std::fill(line + size[2] * cell(), line + cells[2] * cell(), T(0));
                transform(2, -1, line, worker);
                if (outermost == 2) {
                    times_spectrum(line, cells[2], cell(), cell(), spectrum, 1);
                    transform(2, 1, line, worker);
                    store(r, line);
                }
            }
        });
        if (outermost == 2)
            return;
        if (outermost == 0)
            middle(-1);
        fused(outermost);
        if (outermost == 0)
            middle(1);
        parallel_for(rows, 2, [&](i64 begin, i64 end, int worker) {
            for (i64 r = begin; r < end; ++r) {
                T *line = work + (r / size[1] * plane_rows() + r % size[1]) * row();
                transform(2, 1, line, worker);
                store(r, line);
            }
        });
    }

    // A row, in place.
    void transform(int axis, int sign, T *line, int worker) {
        T *buffer = scratch[worker].get(line_scratch<T>(cells[axis]));
        fft(line_plan<T>(cells[axis], sign), line, cell(), line, cell(), cell(), buffer);
    }

    // Columns along y of every plane that holds pixels, from or to the image's rows.
    void middle(int sign) {
        const i64 blocks = (cells[2] + group() - 1) / group(), length = cells[1];
        parallel_for(size[0] * blocks, 2, [&](i64 begin, i64 end, int worker) {
            T *buffer = scratch[worker].get(line_scratch<T>(length) + length * column_reals);
            T *column = buffer + line_scratch<T>(length);
            for (i64 i = begin; i < end; ++i) {
                const i64 first = i % blocks * group();
                const i64 width = std::min(group(), cells[2] - first) * cell();
                T *at = work + i / blocks * length * row() + first * cell();
                const i64 in = sign < 0 ? size[1] : length, out = sign < 0 ? length : size[1];
                gather(at, row(), in, length, width, column);
                fft(line_plan<T>(length, sign), column, width, column, width, width, buffer);
                scatter(column, width, out, at, row());
            }
        });
    }

    // Columns along the outermost axis: there, times the spectrum, and back.
    void fused(int axis) {
        const i64 length = cells[axis], blocks = (cells[2] + group() - 1) / group();
        const i64 lines = axis == 0 ? cells[1] : 1, step = lines * row();
        parallel_for(lines * blocks, 2, [&](i64 begin, i64 end, int worker) {
            T *buffer = scratch[worker].get(line_scratch<T>(length) +
                                            length * std::max(column_reals, cell()));
            T *column = buffer + line_scratch<T>(length);
            for (i64 i = begin; i < end; ++i) {
                const i64 y = i / blocks, first = i % blocks * group();
                const i64 width = std::min(group(), cells[2] - first) * cell();
                T *at = work + y * row() + first * cell();
                gather(at, step, size[axis], length, width, column);
                fft(line_plan<T>(length, -1), column, width, column, width, width, buffer);
                times_spectrum(column, length, width, cell(), spectrum + y * cells[2] + first,
                               lines * cells[2]);
                fft(line_plan<T>(length, 1), column, width, column, width, width, buffer);
                scatter(column, width, size[axis], at, step);
            }
        });
    }

    static void gather(const T *from, i64 step, i64 count, i64 length, i64 width, T *column) {
        for (i64 i = 0; i < count; ++i)
            std::memcpy(column + i * width, from + i * step, width * sizeof(T));
        std::fill(column + count * width, column + length * width, T(0));
    }
    static void scatter(const T *column, i64 width, i64 count, T *to, i64 step) {
        for (i64 i = 0; i < count; ++i)
            std::memcpy(to + i * step, column + i * width, width * sizeof(T));
    }
};

} // namespace

template <class T>
void toeplitz_maps(const T *images, const T *maps, i64 sets, const Shape3 &size, const T *spectrum,
                   const Shape3 &cells, i64 lanes, T *work, i64 row_cells, T *out) {
    const i64 nx = size[2], plane = size[0] * size[1] * nx;
    Convolution<T> convolution{size, cells, spectrum, lanes, work, row_cells};
    convolution.run(
        [&](i64 row, T *line) {
            for (i64 m = 0; m < sets; ++m) {
                const i64 pixel = m * plane + row * nx;
                load_maps(images + 2 * pixel, maps + 2 * pixel * lanes, lanes, nx, m > 0, line);
            }
        },
        [&](i64 row, const T *line) {
            for (i64 m = 0; m < sets; ++m) {
                const i64 pixel = m * plane + row * nx;
                store_maps(line, maps + 2 * pixel * lanes, lanes, nx, out + 2 * pixel);
            }
        });
}

template <class T>
void toeplitz_images(const T *images, i64 coils, const Shape3 &size, const T *spectrum,
                     const Shape3 &cells, i64 lanes, T *work, i64 row_cells, T *out) {
    const i64 nx = size[2], plane = size[0] * size[1] * nx;
    Convolution<T> convolution{size, cells, spectrum, lanes, work, row_cells};
    convolution.run(
        [&](i64 row, T *line) {
            load_images(images + 2 * row * nx, plane, coils, lanes, nx, line);
        },
        [&](i64 row, const T *line) {
            store_images(line, plane, coils, lanes, nx, out + 2 * row * nx);
        });
}

#define PYRAD_INSTANTIATE(T)                                                                       \
    template void toeplitz_maps(const T *, const T *, i64, const Shape3 &, const T *,              \
                                const Shape3 &, i64, T *, i64, T *);                               \
    template void toeplitz_images(const T *, i64, const Shape3 &, const T *, const Shape3 &, i64,  \
                                  T *, i64, T *);
PYRAD_INSTANTIATE(float)
PYRAD_INSTANTIATE(double)

} // namespace pyrad

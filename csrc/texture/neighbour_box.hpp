// The nearest neighbours of the voxels of a row, 26 in space or 8 in the plane: sums by columns,
// likeness by comparisons of bytes. One row of a packed volume of 8-bit levels.
#pragma once

#include "base/view.hpp"

#include <vector>

namespace pyrad {

// What the voxels of a row count into.
struct BoxRow {
    std::vector<u16> column;        // sums of levels of a column of rows
    std::vector<u8> column_present; // voxels of it in the region
    std::vector<u16> tone, alike;   // cells: level * columns + neighbours present, + alike
    std::vector<u32> difference;    // |neighbours * level - sum of levels|

    explicit BoxRow(i64 n) : column(n), column_present(n), tone(n), alike(n), difference(n) {}
};

constexpr i64 box_block = 32; // rows are worked on in whole blocks

// here: n voxels (whole blocks); rows: steps to the 9 (or 3) rows around, here included. Reads one
// voxel before and box_block beyond each row.
void box_cells(const u8 *here, i64 n, const std::vector<i64> &rows, i64 columns, BoxRow &out);

} // namespace pyrad

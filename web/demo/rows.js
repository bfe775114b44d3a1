// SPDX-License-Identifier: BSD-3-Clause
// Rows of pictures that fill the width, each row as high as its pictures allow.

/**
 * @param {number[]} shapes width / height of each picture @param {number} width of a row
 * @param {number} target height of a row, about @param {number} gap between pictures
 * @returns {{rows: {top, height, places: {index, left, top, width, height}[]}[]}}
 */
export function layout(shapes, width, target, gap) {
  const rows = [];
  let top = 0;
  for (let first = 0; first < shapes.length; ) {
    let last = first;
    let sum = 0;
    while (last < shapes.length && (last === first || sum * target + (last - first) * gap < width)) {
      sum += Math.min(Math.max(shapes[last++], 0.2), 5);
    }
    const full = (width - (last - first - 1) * gap) / sum;
    const height = last === shapes.length ? Math.min(full, target) : full;
    let left = 0;
    const places = shapes.slice(first, last).map((shape, i) => {
      const place = { index: first + i, left, top, width: Math.min(Math.max(shape, 0.2), 5) * height, height };
      left += place.width + gap;
      return place;
    });
    rows.push({ top, height, places });
    top += height + gap;
    first = last;
  }
  return { rows };
}

/** Places in the rows that meet `from`..`to`, found by bisection. */
export function visible(rows, from, to) {
  let low = 0;
  for (let high = rows.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height < from) low = middle + 1;
    else high = middle;
  }
  const places = [];
  for (let i = low; i < rows.length && rows[i].top <= to; i++) places.push(...rows[i].places);
  return places;
}

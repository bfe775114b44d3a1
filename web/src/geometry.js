// SPDX-License-Identifier: BSD-3-Clause
// Rectangles {left, top, right, bottom}: tiles, the windows that transforms work on, and their surroundings. A window
// and a halo around it, as wide as the receptive field, go through a transform; the inside is kept, so no seam shows.

export const width = (area) => area.right - area.left;
export const height = (area) => area.bottom - area.top;

/** Larger by `halo` on each side, but not past `inside`. */
export const grown = (area, halo, inside) => ({
  left: Math.max(area.left - halo, inside.left),
  top: Math.max(area.top - halo, inside.top),
  right: Math.min(area.right + halo, inside.right),
  bottom: Math.min(area.bottom + halo, inside.bottom),
});

/** On a grid that is coarser by `divide`; what is partly covered counts. */
export const coarser = (area, divide) => ({
  left: Math.floor(area.left / divide),
  top: Math.floor(area.top / divide),
  right: Math.ceil(area.right / divide),
  bottom: Math.ceil(area.bottom / divide),
});

/** The cells of a grid of `side`, anchored at 0, that meet an area, row by row: {row, column, area}. */
export function grid(area, side) {
  const cells = [];
  for (let row = Math.floor(area.top / side); row * side < area.bottom; row++) {
    for (let column = Math.floor(area.left / side); column * side < area.right; column++) {
      const cell = { left: column * side, top: row * side, right: (column + 1) * side, bottom: (row + 1) * side };
      cells.push({ row, column, area: grown(cell, 0, area) });
    }
  }
  return cells;
}

/**
 * Windows that cover an area, at most `widest` wide: as one goes through a transform strip by strip, only its sides cost
 * halo. While there are fewer than `wanted`, they are halved, those that are narrow across; none becomes smaller than `least`.
 */
export function windows(area, wanted, { widest, narrow, least, step }) {
  let list = grid({ ...area, top: 0, bottom: 1 }, widest).map(({ area: { left, right } }) => ({ ...area, left, right }));
  while (list.length < wanted) {
    const halves = list.flatMap((window) => halve(window, narrow, least, step));
    if (halves.length === list.length) break;
    list = halves;
  }
  return list;
}

function halve(area, narrow, least, step) {
  const [w, h] = [width(area), height(area)];
  if (Math.max(w, h) < 2 * least) return [area];
  const middle = (a, b) => Math.round((a + b) / 2 / step) * step;
  if (w >= Math.min(h, 2 * narrow)) {
    const x = middle(area.left, area.right);
    return [{ ...area, right: x }, { ...area, left: x }];
  }
  const y = middle(area.top, area.bottom);
  return [{ ...area, bottom: y }, { ...area, top: y }];
}

/** An area in strips of so many rows, anchored at 0. */
export const strips = (area, rows) => grid({ ...area, left: 0, right: 1 }, rows).map(({ area: { top, bottom } }) => ({ ...area, top, bottom }));

/** Copy what two blocks share. A block is {area, data (rows, columns, channels)}. */
export function copyShared(from, to, channels) {
  const shared = grown(from.area, 0, to.area);
  const w = width(shared);
  if (w <= 0) return;
  const place = ({ area }, y) => channels * ((y - area.top) * width(area) + shared.left - area.left);
  for (let y = shared.top; y < shared.bottom; y++) {
    to.data.set(from.data.subarray(place(from, y), place(from, y) + channels * w), place(to, y));
  }
}

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

/** Windows of at most `side` that cover an area; large ones are halved while there are fewer than `wanted`. */
export function windows(area, side, wanted, step) {
  let list = grid(area, side).map((cell) => cell.area);
  while (list.length < wanted) {
    const halves = list.flatMap((window) => halve(window, side / 2, step));
    if (halves.length === list.length) break;
    list = halves;
  }
  return list;
}

function halve(area, least, step) {
  const wide = width(area) >= height(area);
  if (Math.max(width(area), height(area)) <= least) return [area];
  const middle = (a, b) => Math.round((a + b) / 2 / step) * step;
  if (wide) {
    const x = middle(area.left, area.right);
    return [{ ...area, right: x }, { ...area, left: x }];
  }
  const y = middle(area.top, area.bottom);
  return [{ ...area, bottom: y }, { ...area, top: y }];
}

/** Copy what two blocks share. A block is {area, data (channels, rows, columns)}. */
export function copyShared(from, to, channels) {
  const shared = grown(from.area, 0, to.area);
  const [w, h] = [width(shared), height(shared)];
  if (w <= 0 || h <= 0) return;
  const [fromW, toW] = [width(from.area), width(to.area)];
  for (let c = 0; c < channels; c++) {
    for (let y = shared.top; y < shared.bottom; y++) {
      const source = (c * height(from.area) + y - from.area.top) * fromW + shared.left - from.area.left;
      const target = (c * height(to.area) + y - to.area.top) * toW + shared.left - to.area.left;
      to.data.set(from.data.subarray(source, source + w), target);
    }
  }
}

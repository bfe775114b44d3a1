// SPDX-License-Identifier: BSD-3-Clause
// SSIMULACRA 2 (J. Sneyers, Cloudinary 2022; version 2.1), the score from about -100 to 100 of how well a picture is
// kept: 90 cannot be told from the original, 70 is good, 50 is fair. Numbers as in calotype/metrics/ssimulacra2.py.

const OPSIN = [
  [0.3, 0.622, 0.078],
  [0.23, 0.692, 0.078],
  [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
];
const BIAS = 0.0037930732552754493;
const C2 = 0.0009;
const RADIUS = 5;
const SMALLEST = 8;
const SCALES = 6;
// By channel (X, Y, B), scale and norm (mean, then fourth): structure, artefacts, lost detail.
const WEIGHTS = [
  0, 0.0007376606707406586, 0, 0, 0.0007793481682867309, 0,
  0, 0.0004371155730107379, 0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
  0, 0.0016406437456599754, 0, 1.8422455520539298, 11.441172603757666, 0,
  0.0007989109436015163, 0.000176816438078653, 0, 1.8787594979546387, 10.94906990605142, 0,
  0.0007289346991508072, 0.9677937080626833, 0, 0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
  0.0004550992113792063, 0, 0, 0.0013648766163243398, 0, 0,
  0, 0, 0, 7.466890328078848, 0, 17.445833984131262,
  0.0006235601634041466, 0, 0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264,
  225.20515300849274, 0, 0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
  176.39317598450694, 0, 0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
  0, 0, 0, 34.77906344483772, 44.835625328877896, 0,
  0, 0, 0, 0, 0, 0,
  0, 0.0008680556573291698, 0, 0, 0, 0,
  0, 0.0005313191874358747, 0, 0.00016533814161379112, 0, 0,
  0, 0, 0, 0.0004179171803251336, 0.0017290828234722833, 0,
  0.0020827005846636437, 0, 0, 8.826982764996862, 23.19243343998926, 0,
  95.1080498811086, 0.9863978034400682, 0.9834382792465353, 0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
  0, 0, 0, 0.0005130064588990679, 0, 0.00010854057858411537,
]; // prettier-ignore

const TAPS = Float32Array.from({ length: 2 * RADIUS + 1 }, (_, i) => Math.exp(-((i - RADIUS) ** 2) / 4.5));
const total = TAPS.reduce((a, b) => a + b);
TAPS.forEach((tap, i) => (TAPS[i] = tap / total));
const LINEAR = Float32Array.from({ length: 256 }, (_, i) => (i <= 10 ? i / 255 / 12.92 : ((i / 255 + 0.055) / 1.055) ** 2.4));

/** The score of one picture against another, both {width, height, data: RGBA} of the same size. */
export function ssimulacra2(original, picture) {
  let { width, height } = original;
  let first = linear(original);
  let second = linear(picture);
  let raw = 0;
  for (let scale = 0; scale < SCALES && width >= SMALLEST && height >= SMALLEST; scale++) {
    if (scale) {
      [first, second] = [first, second].map((planes) => planes.map((plane) => halve(plane, width, height)));
      [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
      if (width < SMALLEST || height < SMALLEST) break;
    }
    const [a, b] = [xyb(first), xyb(second)];
    for (let c = 0; c < 3; c++) {
      const at = (c * SCALES + scale) * 6;
      compare(a[c], b[c], width, height).forEach((norm, i) => (raw += WEIGHTS[at + i] * norm));
    }
  }
  const x = raw * 0.9562382616834844;
  const value = ((6.248496625763138e-5 * x - 0.020884521182843837) * x + 2.326765642916932) * x;
  return value > 0 ? 100 - 10 * value ** 0.6276336467831387 : 100;
}

function linear({ width, height, data }) {
  const planes = [0, 1, 2].map(() => new Float32Array(width * height));
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) planes[c][i] = LINEAR[data[4 * i + c]];
  return planes;
}

function halve(plane, width, height) {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const out = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    const top = 2 * y * width;
    const below = Math.min(2 * y + 1, height - 1) * width;
    for (let x = 0; x < w; x++) {
      const right = Math.min(2 * x + 1, width - 1);
      out[y * w + x] = (plane[top + 2 * x] + plane[top + right] + plane[below + 2 * x] + plane[below + right]) / 4;
    }
  }
  return out;
}

function xyb([red, green, blue]) {
  const planes = [0, 1, 2].map(() => new Float32Array(red.length));
  const black = Math.cbrt(BIAS);
  const root = ([r, g, b], i) => Math.cbrt(Math.max(r * red[i] + g * green[i] + b * blue[i], 0) + BIAS) - black;
  for (let i = 0; i < red.length; i++) {
    const l = root(OPSIN[0], i);
    const m = root(OPSIN[1], i);
    const y = (l + m) / 2;
    planes[0][i] = 7 * (l - m) + 0.42;
    planes[1][i] = y + 0.01;
    planes[2][i] = root(OPSIN[2], i) - y + 0.55;
  }
  return planes;
}

/** Gaussian blur; left and right of the picture are zeros, above and below its reflection. */
function blur(plane, width, height) {
  const rows = new Float32Array(plane.length);
  const out = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    const at = y * width;
    for (let x = 0; x < width; x++) {
      let sum = 0;
      const from = Math.max(-RADIUS, -x);
      const to = Math.min(RADIUS, width - 1 - x);
      for (let k = from; k <= to; k++) sum += TAPS[k + RADIUS] * plane[at + x + k];
      rows[at + x] = sum;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let k = -RADIUS; k <= RADIUS; k++) {
      const tap = TAPS[k + RADIUS];
      const row = y + k < 0 ? -1 - y - k : y + k < height ? y + k : 2 * height - 1 - y - k;
      for (let x = 0, at = y * width, from = row * width; x < width; x++) out[at + x] += tap * rows[from + x];
    }
  }
  return out;
}

const product = (a, b) => a.map((value, i) => value * b[i]);

/** Mean and fourth norm of three maps: [structure, artefacts, lost] by mean, then by fourth norm. */
function compare(a, b, width, height) {
  const soft = (plane) => blur(plane, width, height);
  const [meanA, meanB] = [soft(a), soft(b)];
  const [aa, bb, ab] = [soft(product(a, a)), soft(product(b, b)), soft(product(a, b))];
  const sums = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [meanA[i], meanB[i]];
    const structure = (2 * (ab[i] - p * q) + C2) / (aa[i] - p * p + (bb[i] - q * q) + C2);
    const edge = (1 + Math.abs(b[i] - q)) / (1 + Math.abs(a[i] - p)) - 1;
    const loss = Math.max(1 - (1 - (p - q) ** 2) * structure, 0);
    const artefact = Math.max(edge, 0);
    const lost = Math.max(-edge, 0);
    sums[0] += loss;
    sums[1] += artefact;
    sums[2] += lost;
    sums[3] += loss ** 4;
    sums[4] += artefact ** 4;
    sums[5] += lost ** 4;
  }
  return sums.map((sum, i) => (i < 3 ? sum / a.length : (sum / a.length) ** 0.25));
}

// SPDX-License-Identifier: BSD-3-Clause
// Kernels for the graphs of `talbot`: float32 arrays (C, H, W) in C order. No libc and no malloc: JavaScript plans the
// memory (src/memory.js) and calls one kernel for each node of a graph (src/graph.js).
//
// Built twice (build.sh): with relaxed SIMD, where a product and a sum are one fused instruction, and with plain SIMD.
// The integer networks come out the same in both: all their products and sums are whole numbers below 2^24.
//
// A kernel may read and write up to 64 bytes behind its arrays; the memory plan leaves room for that.
#include <wasm_simd128.h>

typedef float f32;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef v128_t v;

#define EXPORT(name) __attribute__((export_name(#name)))
#define load wasm_v128_load
#define store wasm_v128_store
#define splat wasm_f32x4_splat
#define splat_from wasm_v128_load32_splat
#ifdef RELAXED
#define FMA(a, b, c) wasm_f32x4_relaxed_madd(a, b, c)
#else
#define FMA(a, b, c) wasm_f32x4_add(wasm_f32x4_mul(a, b), c)
#endif

extern u8 __heap_base;
EXPORT(heap) u32 heap(void) { return (u32)&__heap_base; }

// What happens to each sum, in this order, as far as it is asked for. 40 bytes, written by JavaScript.
typedef struct {
  const f32 *scale;    // one factor a channel, or null
  const f32 *residual; // an array like the result, which is added, or null
  int leaky, round;    // leaky ReLU of slope 1/8; round half to even
  int clip, clip_sum;  // limit before and after the residual
  f32 low, high, low_sum, high_sum;
} Post;

static inline v post(v x, const Post *p, v scale, v residual) {
  if (p->leaky) x = wasm_f32x4_pmax(wasm_f32x4_mul(x, splat(0.125f)), x);
  if (p->scale) x = wasm_f32x4_mul(x, scale);
  if (p->round) x = wasm_f32x4_nearest(x);
  if (p->clip) x = wasm_f32x4_pmin(splat(p->high), wasm_f32x4_pmax(splat(p->low), x));
  if (p->residual) x = wasm_f32x4_add(x, residual);
  if (p->clip_sum) x = wasm_f32x4_pmin(splat(p->high_sum), wasm_f32x4_pmax(splat(p->low_sum), x));
  return x;
}

// Store the first `left` of 4 n results at `out`; `residual` stands at the same place of its array.
static inline void put(const v *x, int n, int left, f32 *out, const f32 *residual, const Post *p, v scale) {
  if (left >= 4 * n) {
    for (int i = 0; i < n; i++) store(out + 4 * i, post(x[i], p, scale, load(residual + 4 * i)));
    return;
  }
  f32 some[16], before[16];
  for (int i = 0; i < 4 * n; i++) before[i] = i < left ? residual[i] : 0;
  for (int i = 0; i < n; i++) store(some + 4 * i, post(x[i], p, scale, load(before + 4 * i)));
  for (int i = 0; i < left; i++) out[i] = some[i];
}

#define ROWS 6    // output channels at once; 12 sums of 4 fill the registers
#define PANELS 16 // panels of 8 positions at once: of 640 channels, 320 kB, which fit into a second-level cache

// 1x1 convolution: y (N, P) = post(w (N, K) x (K, P) + bias). w is packed by pack_rows; panel: K * 8 * PANELS floats.
EXPORT(pointwise)
void pointwise(int N, int K, int P, const f32 *w, const f32 *bias, const f32 *x, f32 *y, f32 *panel, const Post *p) {
  for (int start = 0; start < P; start += 8 * PANELS) {
    int panels = (P - start + 7) / 8;
    if (panels > PANELS) panels = PANELS;
    for (int j = 0; j < panels; j++) { // 8 positions of all channels, one behind the other
      f32 *to = panel + j * 8 * K;
      int left = P - start - 8 * j;
      const f32 *from = x + start + 8 * j;
      for (int k = 0; k < K; k++, to += 8, from += P) {
        if (left >= 8) {
          store(to, load(from));
          store(to + 4, load(from + 4));
        } else {
          for (int i = 0; i < 8; i++) to[i] = i < left ? from[i] : 0;
        }
      }
    }
    for (int n = 0; n < N; n += ROWS) {
      int rows = N - n < ROWS ? N - n : ROWS;
      for (int j = 0; j < panels; j++) {
        const f32 *a = w + n * K, *b = panel + j * 8 * K;
        v z = splat(0);
        v s00 = z, s01 = z, s10 = z, s11 = z, s20 = z, s21 = z, s30 = z, s31 = z, s40 = z, s41 = z, s50 = z, s51 = z;
        for (int k = 0; k < K; k++, a += ROWS, b += 8) {
          v b0 = load(b), b1 = load(b + 4), t;
#define ROW(r) t = splat_from(a + r), s##r##0 = FMA(t, b0, s##r##0), s##r##1 = FMA(t, b1, s##r##1)
          ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5);
        }
        v sums[2 * ROWS] = {s00, s01, s10, s11, s20, s21, s30, s31, s40, s41, s50, s51};
        int at = start + 8 * j;
        for (int r = 0; r < rows; r++) {
          f32 *out = y + (n + r) * P + at;
          v b = splat(bias ? bias[n + r] : 0), scale = splat(p->scale ? p->scale[n + r] : 1);
          v both[2] = {wasm_f32x4_add(sums[2 * r], b), wasm_f32x4_add(sums[2 * r + 1], b)};
          put(both, 2, P - at, out, p->residual ? p->residual + (n + r) * P + at : out, p, scale);
        }
      }
    }
  }
}

// 5x5 depthwise convolution, zeros outside. pad: (h + 5) rows of w + 4 floats, w rounded up to a multiple of 16.
EXPORT(depthwise)
void depthwise(int C, int h, int w, const f32 *weights, const f32 *bias, const f32 *x, f32 *y, f32 *pad, const Post *p) {
  int stride = (w + 15) / 16 * 16 + 4;
  for (int i = 0; i < (h + 5) * stride; i++) pad[i] = 0;
  for (int c = 0; c < C; c++) {
    const f32 *k = weights + 25 * c;
    for (int r = 0; r < h; r++) __builtin_memcpy(pad + (r + 2) * stride + 2, x + (c * h + r) * w, w * 4);
    v b = splat(bias ? bias[c] : 0), scale = splat(p->scale ? p->scale[c] : 1);
    for (int r = 0; r < h; r += 2) { // two rows share what they load
      for (int q = 0; q < w; q += 16) {
        v s[4] = {b, b, b, b}, t[4] = {b, b, b, b};
        const f32 *from = pad + r * stride + q;
#pragma clang loop unroll(full)
        for (int i = 0; i < 6; i++, from += stride)
#pragma clang loop unroll(full)
          for (int j = 0; j < 5; j++) {
            v x0 = load(from + j), x1 = load(from + j + 4), x2 = load(from + j + 8), x3 = load(from + j + 12);
            if (i < 5) {
              v m = splat_from(k + 5 * i + j);
              s[0] = FMA(m, x0, s[0]), s[1] = FMA(m, x1, s[1]), s[2] = FMA(m, x2, s[2]), s[3] = FMA(m, x3, s[3]);
            }
            if (i > 0) {
              v m = splat_from(k + 5 * i - 5 + j);
              t[0] = FMA(m, x0, t[0]), t[1] = FMA(m, x1, t[1]), t[2] = FMA(m, x2, t[2]), t[3] = FMA(m, x3, t[3]);
            }
          }
        int at = (c * h + r) * w + q;
        put(s, 4, w - q, y + at, p->residual ? p->residual + at : y + at, p, scale);
        at += w;
        if (r + 1 < h) put(t, 4, w - q, y + at, p->residual ? p->residual + at : y + at, p, scale);
      }
    }
  }
}

// y = post(x), element by element, over (C, P).
EXPORT(elementwise) void elementwise(int C, int P, const f32 *x, f32 *y, const Post *p) {
  for (int c = 0; c < C; c++) {
    v scale = splat(p->scale ? p->scale[c] : 1);
    for (int i = 0, at = c * P; i < P; i += 4, at += 4) {
      v one = load(x + at);
      put(&one, 1, P - i, y + at, p->residual ? p->residual + at : x + at, p, scale);
    }
  }
}

EXPORT(add_scalar) void add_scalar(int n, f32 a, const f32 *x, f32 *y) {
  for (int i = 0; i < n; i++) y[i] = x[i] + a;
}

// (C b b, h, w) -> (C, h b, w b), mode CRD of ONNX.
EXPORT(depth_to_space) void depth_to_space(int C, int h, int w, int b, const f32 *x, f32 *y) {
  for (int c = 0; c < C; c++)
    for (int i = 0; i < b; i++)
      for (int j = 0; j < b; j++)
        for (int r = 0; r < h; r++) {
          const f32 *from = x + (((c * b + i) * b + j) * h + r) * w;
          f32 *to = y + ((c * h + r) * b + i) * w * b + j;
          for (int k = 0; k < w; k++, to += b) *to = from[k];
        }
}

// Its inverse, (C, h b, w b) -> (C b b, h, w): a convolution of stride b with a b x b kernel is this and a pointwise one.
EXPORT(space_to_depth) void space_to_depth(int C, int h, int w, int b, const f32 *x, f32 *y) {
  for (int c = 0; c < C; c++)
    for (int i = 0; i < b; i++)
      for (int j = 0; j < b; j++)
        for (int r = 0; r < h; r++) {
          const f32 *from = x + ((c * h + r) * b + i) * w * b + j;
          f32 *to = y + (((c * b + i) * b + j) * h + r) * w;
          for (int k = 0; k < w; k++, from += b) to[k] = *from;
        }
}

EXPORT(to_u8) void to_u8(int n, const f32 *x, u8 *y) {
  for (int i = 0; i < n; i++) y[i] = (u8)x[i];
}

EXPORT(from_i8) void from_i8(int n, const signed char *x, f32 *y) {
  for (int i = 0; i < n; i++) y[i] = x[i];
}

EXPORT(from_i16) void from_i16(int n, const short *x, f32 *y) {
  for (int i = 0; i < n; i++) y[i] = x[i];
}

EXPORT(from_i32) void from_i32(int n, const int *x, f32 *y) {
  for (int i = 0; i < n; i++) y[i] = x[i];
}

EXPORT(from_f16) void from_f16(int n, const u16 *x, f32 *y) {
  for (int i = 0; i < n; i++) {
    u32 sign = (x[i] & 0x8000) << 16, exponent = x[i] >> 10 & 31, fraction = x[i] & 1023, bits;
    if (exponent) {
      bits = (exponent == 31 ? 0x7F800000 : (exponent + 112) << 23) | fraction << 13;
    } else { // a subnormal number, or zero
      f32 small = fraction * 0x1p-24f;
      __builtin_memcpy(&bits, &small, 4);
    }
    bits |= sign;
    __builtin_memcpy(y + i, &bits, 4);
  }
}

// Weights (N, K) -> [ceil(N / ROWS)][K][ROWS], zeros beyond N.
EXPORT(pack_rows) void pack_rows(int N, int K, const f32 *x, f32 *y) {
  for (int n = 0; n < N; n += ROWS)
    for (int k = 0; k < K; k++)
      for (int r = 0; r < ROWS; r++) *y++ = n + r < N ? x[(n + r) * K + k] : 0;
}

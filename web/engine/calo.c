// SPDX-License-Identifier: BSD-3-Clause
// Kernels for the graphs of `talbot`: float32 arrays (rows, columns, channels), so that what belongs to a place lies
// together. No libc and no malloc: JavaScript plans the memory (src/memory.js) and calls one kernel after the other
// (src/kernels.js), each for some rows of an array.
//
// Built twice (build.sh): with relaxed SIMD, where a product and a sum are one fused instruction, and with plain SIMD.
// The integer networks come out the same in both: all their products and sums are whole numbers below 2^24.
//
// A kernel may read and write up to 64 bytes behind its arrays; the memory plan leaves room for that.
#include <wasm_simd128.h>

typedef float f32;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef v128_t v;

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
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

// What happens to each sum, in this order, as far as it is asked for. 52 bytes, written by JavaScript.
typedef struct {
  const f32 *bias, *scale; // one a channel, or null
  const f32 *residual;     // an array like the result, which is added, or null
  u32 some;                // whether there is anything
  u32 leaky, round;        // leaky ReLU of slope 1/8; round half to even
  u32 clip, clip_sum;      // limit before and after the residual
  f32 low, high, low_sum, high_sum;
  f32 offset;
} Post;

// For n vectors of sums from channel c on: two a place if `pair`, else one. `at`: where each place's begin.
INLINE void post(v *x, int n, int pair, const Post *p, int c, const u32 *at) {
#define EACH UNROLL for (int i = 0; i < n; i++)
  if (p->bias) {
    v b[2] = {load(p->bias + c), load(p->bias + c + 4)};
    EACH x[i] = wasm_f32x4_add(x[i], b[pair & i]);
  }
  if (p->leaky) EACH x[i] = wasm_f32x4_pmax(wasm_f32x4_mul(x[i], splat(0.125f)), x[i]);
  if (p->scale) {
    v b[2] = {load(p->scale + c), load(p->scale + c + 4)};
    EACH x[i] = wasm_f32x4_mul(x[i], b[pair & i]);
  }
  if (p->offset != 0) EACH x[i] = wasm_f32x4_add(x[i], splat(p->offset));
  if (p->round) EACH x[i] = wasm_f32x4_nearest(x[i]);
  if (p->clip) EACH x[i] = wasm_f32x4_pmin(splat(p->high), wasm_f32x4_pmax(splat(p->low), x[i]));
  if (p->residual) EACH x[i] = wasm_f32x4_add(x[i], load(p->residual + at[i >> pair] + 4 * (pair & i)));
  if (p->clip_sum) EACH x[i] = wasm_f32x4_pmin(splat(p->high_sum), wasm_f32x4_pmax(splat(p->low_sum), x[i]));
}

#define PLACES 6 // at once; with 8 channels, 12 sums of 4 fill the registers
#define BLOCK 126 // places that stay in the second-level cache while all weights pass by

// 1x1 convolution: y (P, N) = post(x (P, K) w (K, N)). w is packed by `pack` or `pack_pairs`, 8 channels at a time. Of
// the last 6 places, those beyond P are computed from the last one and not stored.
#define POINTWISE(name, number, STEP, FINISH, WIDTH, ...)                                                          \
  EXPORT(name)                                                                                                     \
  void name(int N, int K, int P, const number *weights, const number *x, f32 *y, const Post *p, ##__VA_ARGS__) {   \
    for (int start = 0; start < P; start += BLOCK) {                                                               \
      int stop = P - start < BLOCK ? P : start + BLOCK;                                                            \
      for (int n = 0; n < N; n += 8) {                                                                             \
        for (int from = start; from < stop; from += PLACES) {                                                      \
          int last = P - 1 - from;                                                                                 \
          const number *w = weights + n * K, *x0 = x + from * K, *x1 = x0 + (last < 1 ? last : 1) * K,             \
                       *x2 = x0 + (last < 2 ? last : 2) * K, *x3 = x0 + (last < 3 ? last : 3) * K,                 \
                       *x4 = x0 + (last < 4 ? last : 4) * K, *x5 = x0 + (last < 5 ? last : 5) * K;                 \
          v z = splat(0);                                                                                          \
          v s[12] = {z, z, z, z, z, z, z, z, z, z, z, z};                                                          \
          for (int k = 0; k < K; k += WIDTH, w += 8 * WIDTH) {                                                     \
            v b0 = load(w), b1 = load(w + 4 * WIDTH), t;                                                           \
            t = splat_from(x0 + k), s[0] = STEP(t, b0, s[0]), s[1] = STEP(t, b1, s[1]);                            \
            t = splat_from(x1 + k), s[2] = STEP(t, b0, s[2]), s[3] = STEP(t, b1, s[3]);                            \
            t = splat_from(x2 + k), s[4] = STEP(t, b0, s[4]), s[5] = STEP(t, b1, s[5]);                            \
            t = splat_from(x3 + k), s[6] = STEP(t, b0, s[6]), s[7] = STEP(t, b1, s[7]);                            \
            t = splat_from(x4 + k), s[8] = STEP(t, b0, s[8]), s[9] = STEP(t, b1, s[9]);                            \
            t = splat_from(x5 + k), s[10] = STEP(t, b0, s[10]), s[11] = STEP(t, b1, s[11]);                        \
          }                                                                                                        \
          u32 at[PLACES];                                                                                          \
          UNROLL for (int i = 0; i < PLACES; i++) at[i] = (from + (i < last ? i : last)) * N + n;                  \
          FINISH                                                                                                   \
          post(s, 12, 1, p, n, at);                                                                                 \
          UNROLL for (int i = 0; i < 12; i++) store(y + at[i >> 1] + 4 * (i & 1), s[i]);                           \
        }                                                                                                          \
      }                                                                                                            \
    }                                                                                                              \
  }
POINTWISE(pointwise, f32, FMA, , 1)

// The same for whole numbers of 16 bits, K even, which is faster on x86, whose one instruction multiplies 8 pairs and
// adds two each. With `units`, one a place, and `factors`, one a channel, sums are multiplied by both.
#define PAIR(a, b, c) wasm_i32x4_add(wasm_i32x4_dot_i16x8(a, b), c)
#define FROM_WHOLE                                                                                                 \
  UNROLL for (int i = 0; i < 12; i++) s[i] = wasm_f32x4_convert_i32x4(s[i]);                                       \
  if (units) {                                                                                                     \
    v both[2] = {load(factors + n), load(factors + n + 4)};                                                        \
    UNROLL for (int i = 0; i < 12; i++) {                                                                          \
      v unit = splat_from(units + from + (i / 2 < last ? i / 2 : last));                                           \
      s[i] = wasm_f32x4_mul(s[i], wasm_f32x4_mul(unit, both[i & 1]));                                              \
    }                                                                                                              \
  }
POINTWISE(pointwise_pairs, i16, PAIR, FROM_WHOLE, 2, const f32 *units, const f32 *factors)

// (P, K) -> (P, K rounded up to even), as whole numbers. With `units`, each place is stretched to the Euclidean norm
// NORM, and its unit is by how much less it had; else the numbers are whole already.
//
// Weights have twice this norm (pack_pairs), so by the inequality of Cauchy and Schwarz no sum of products is beyond
// 32 bits, and rounding is off by about 1/10000 of what a channel has.
#define NORM 32700
EXPORT(to_pairs) void to_pairs(int P, int K, const f32 *x, i16 *y, f32 *units) {
  for (int p = 0; p < P; p++, x += K) {
    f32 stretch = 1;
    int k = 0;
    if (units) {
      v sums = splat(0), more = sums;
      for (; k + 8 <= K; k += 8) {
        v a = load(x + k), b = load(x + k + 4);
        sums = FMA(a, a, sums), more = FMA(b, b, more);
      }
      sums = wasm_f32x4_add(sums, more);
      f32 sum = wasm_f32x4_extract_lane(sums, 0) + wasm_f32x4_extract_lane(sums, 1) + wasm_f32x4_extract_lane(sums, 2) +
                wasm_f32x4_extract_lane(sums, 3);
      for (; k < K; k++) sum += x[k] * x[k];
      f32 norm = __builtin_sqrtf(sum);
      stretch = sum > 1e-30f ? NORM / norm : 0;
      units[p] = norm / NORM;
    }
    v s = splat(stretch), rounder = splat(0x1.8p23f); // a sum with it ends in the nearest whole number
    for (k = 0; k + 8 <= K; k += 8, y += 8) {
      v low = wasm_f32x4_add(wasm_f32x4_mul(load(x + k), s), rounder);
      v high = wasm_f32x4_add(wasm_f32x4_mul(load(x + k + 4), s), rounder);
      store(y, wasm_i16x8_shuffle(low, high, 0, 2, 4, 6, 8, 10, 12, 14));
    }
    for (; k < K; k++) *y++ = (i16)__builtin_rintf(x[k] * stretch);
    if (K & 1) *y++ = 0;
  }
}

// 5x5 depthwise convolution of `rows` rows of w places, zeros outside; there are so many rows above and below of x.
// weights: (25, C). patch: 6 * 8 * C floats, for what lies at the left and right border.
EXPORT(depthwise)
void depthwise(int C, int rows, int w, int above, int below, const f32 *weights, const f32 *x, f32 *y, f32 *patch, const Post *p) {
  for (int r = 0; r < rows; r += 2) { // two rows of four places share what they load
    int first = r - 2 < -above ? -above : r - 2, stop = r + 4 < rows + below ? r + 4 : rows + below;
    for (int begin = 0; begin < C; begin += 16) { // a cache line of each place
      int end = begin + 16 < C ? begin + 16 : C;
      for (int q = 0; q < w; q += 4) {
        const f32 *source = x + ((r - 2) * w + q - 2) * C;
        int line = w * C;
        if (q < 2 || q + 6 > w) {
          source = patch, line = 8 * C;
          for (int i = first; i < stop; i++)
            for (int j = 0; j < 8; j++) {
              f32 *to = patch + ((i - r + 2) * 8 + j) * C + begin;
              int column = q - 2 + j;
              if (column < 0 || column >= w) __builtin_memset(to, 0, (end - begin) * 4);
              else __builtin_memcpy(to, x + (i * w + column) * C + begin, (end - begin) * 4);
            }
        }
        for (int c = begin; c < end; c += 4) {
          v z = splat(0);
          v s[4] = {z, z, z, z}, t[4] = {z, z, z, z};
          const f32 *k = weights + c, *from = source + c + (first - r + 2) * line;
          for (int i = first - r + 2; i < stop - r + 2; i++, from += line) {
            const f32 *upper = k + i * 5 * C, *lower = upper - 5 * C, *at = from;
#define TAPS(row, weight)                                                                                          \
  {                                                                                                                \
    v m = load(weight);                                                                                            \
    row[0] = FMA(m, x0, row[0]), row[1] = FMA(m, x1, row[1]), row[2] = FMA(m, x2, row[2]), row[3] = FMA(m, x3, row[3]); \
  }
#pragma clang loop unroll(disable) // else the registers do not suffice
            for (int j = 0; j < 5; j++, at += C, upper += C, lower += C) {
              v x0 = load(at), x1 = load(at + C), x2 = load(at + 2 * C), x3 = load(at + 3 * C);
              if (i < 5) TAPS(s, upper)
              if (i > 0) TAPS(t, lower)
            }
          }
          v both[8] = {s[0], t[0], s[1], t[1], s[2], t[2], s[3], t[3]};
          u32 at[8], under = r + 1 < rows ? w * C : 0; // a last row twice: its own sums are stored after the others
          UNROLL for (int i = 0; i < 8; i++) at[i] = (r * w + q + (q + i / 2 < w ? i / 2 : 0)) * C + c + (i & 1 ? under : 0);
          if (p->some) post(both, 8, 0, p, c, at);
          UNROLL for (int i = 7; i >= 0; i--) store(y + at[i], both[i]);
        }
      }
    }
  }
}

// y = post(x), element by element, over (P, C); C is a multiple of 4.
EXPORT(elementwise) void elementwise(int P, int C, const f32 *x, f32 *y, const Post *p) {
  for (u32 i = 0, at = 0; i < (u32)P; i++)
    for (int c = 0; c < C; c += 4, at += 4) {
      v one = load(x + at);
      post(&one, 1, 0, p, c, &at);
      store(y + at, one);
    }
}

// Blocks of b x b places, `rows` rows of them and w columns, as one place each, line by line.
EXPORT(space_to_depth) void space_to_depth(int C, int rows, int w, int b, const f32 *x, f32 *y) {
  for (int r = 0; r < rows; r++)
    for (int q = 0; q < w; q++)
      for (int i = 0; i < b; i++, y += b * C) __builtin_memcpy(y, x + ((r * b + i) * w + q) * b * C, b * C * 4);
}

// c channels of P places, from an array with `from` channels to one with `to`.
EXPORT(copy_channels) void copy_channels(int P, int c, int from, int to, const f32 *x, f32 *y) {
  for (int i = 0; i < P; i++, x += from, y += to) __builtin_memcpy(y, x, c * 4);
}

// (R, C) -> (C, R)
EXPORT(transpose) void transpose(int R, int C, const f32 *x, f32 *y) {
  for (int r = 0; r < R; r += 4)
    for (int c = 0; c < C; c += 4) {
      if (r + 4 > R || c + 4 > C) {
        for (int i = r; i < R && i < r + 4; i++)
          for (int j = c; j < C && j < c + 4; j++) y[j * R + i] = x[i * C + j];
        continue;
      }
      const f32 *from = x + r * C + c;
      v a0 = load(from), a1 = load(from + C), a2 = load(from + 2 * C), a3 = load(from + 3 * C);
      v b0 = wasm_i32x4_shuffle(a0, a1, 0, 4, 1, 5), b1 = wasm_i32x4_shuffle(a0, a1, 2, 6, 3, 7);
      v b2 = wasm_i32x4_shuffle(a2, a3, 0, 4, 1, 5), b3 = wasm_i32x4_shuffle(a2, a3, 2, 6, 3, 7);
      f32 *to = y + c * R + r;
      store(to, wasm_i64x2_shuffle(b0, b2, 0, 2)), store(to + R, wasm_i64x2_shuffle(b0, b2, 1, 3));
      store(to + 2 * R, wasm_i64x2_shuffle(b1, b3, 0, 2)), store(to + 3 * R, wasm_i64x2_shuffle(b1, b3, 1, 3));
    }
}

EXPORT(to_u8) void to_u8(int n, const f32 *x, u8 *y) {
  for (int i = 0; i < n; i++) y[i] = (u8)x[i];
}

// Samples 0..1 as whole numbers of 8 or 16 bits, halves to the even neighbour.
EXPORT(samples) void samples(int n, int depth, const f32 *x, u8 *y) {
  v most = splat(depth == 8 ? 255 : 65535);
  for (int i = 0; i < n; i += 8) {
    v a = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_f32x4_mul(load(x + i), most)));
    v b = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_f32x4_mul(load(x + i + 4), most)));
    if (depth == 8) {
      v both = wasm_i16x8_narrow_i32x4(a, b);
      wasm_v128_store64_lane(y + i, wasm_u8x16_narrow_i16x8(both, both), 0);
    } else store(y + 2 * i, wasm_u16x8_narrow_i32x4(a, b));
  }
}

// The mean of three channels, for P places.
EXPORT(grey) void grey(int P, const f32 *x, f32 *y) {
  for (int i = 0; i < P; i++) y[i] = (x[3 * i] + x[3 * i + 1] + x[3 * i + 2]) / 3;
}

// Entropy-coded symbols: rANS with a state of 64 bits and tables whose frequencies sum to 2^24 (src/rans.js).
typedef struct {
  u32 levels;         // how many there are; level 0 is not coded
  const u32 *limits;  // symbols are -limit..limit, and one more for those beyond
  const u32 *first;   // where the sums of a level begin
  const u32 *sums;    // of all frequencies before a symbol
  const u16 *lookup;  // by the upper 10 bits of a slot, 1024 a level: where to begin to search
} Tables;
typedef struct {
  u64 state;
  const u32 *words; // read from the end
  u32 left, crc;    // words that are left; register of the CRC-32 of all symbols
} Reader;

static u32 crc_table[256];

static void refill(Reader *r) {
  u32 word;
  __builtin_memcpy(&word, r->words + --r->left, 4);
  r->state = r->state << 32 | word;
}

EXPORT(begin) void begin(Reader *r) {
  for (u32 i = 0; i < 256; i++) {
    u32 n = i;
    for (int k = 0; k < 8; k++) n = n & 1 ? 0xEDB88320 ^ n >> 1 : n >> 1;
    crc_table[i] = n;
  }
  while (r->left && !(r->state >> 32)) refill(r);
}

INLINE void step(Reader *r, u32 slot, u32 frequency, u32 sum) {
  r->state = (r->state >> 24) * frequency + slot - sum;
  if (!(r->state >> 32) && r->left) refill(r);
}

#define SLOT (u32)(r->state & 0xFFFFFF)
#define ESCAPED 0x7FFFFFFF

// n symbols, 0 where the level is 0; those of lower levels come first. order: n numbers. The result is a level that
// has no table, or 0.
EXPORT(symbols) u32 symbols(int n, const u8 *levels, int *out, u32 *order, const Tables *t, Reader *r) {
  u32 starts[257] = {0}, next[256];
  for (int i = 0; i < n; i++) starts[levels[i] + 1]++;
  starts[1] = 0;
  for (int i = 1; i < 257; i++) starts[i] += starts[i - 1];
  __builtin_memcpy(next, starts, sizeof next);
  for (int i = 0; i < n; i++) {
    out[i] = 0;
    if (levels[i]) order[next[levels[i]]++] = i;
  }
  for (u32 level = 1; level < 256; level++) {
    u32 from = starts[level], to = starts[level + 1], escapes = 0;
    if (from == to) continue;
    if (level >= t->levels) return level;
    u32 limit = t->limits[level];
    const u32 *sums = t->sums + t->first[level];
    const u16 *lookup = t->lookup + 1024 * level;
    for (u32 k = from; k < to; k++) {
      u32 slot = SLOT, i = lookup[slot >> 14];
      while (sums[i + 1] <= slot) i++;
      step(r, slot, sums[i + 1] - sums[i], sums[i]);
      u32 escaped = i > 2 * limit;
      escapes += escaped;
      out[order[k]] = escaped ? ESCAPED : (int)(i - limit);
    }
    for (u32 k = from; escapes && k < to; k++) { // two numbers of 12 bits
      if (out[order[k]] != ESCAPED) continue;
      u32 value = 0;
      for (int part = 0; part < 2; part++) {
        u32 slot = SLOT, raw = slot >> 12;
        step(r, slot, 1 << 12, raw << 12);
        value = value << 12 | raw;
      }
      out[order[k]] = (int)value - (1 << 23);
    }
    for (u32 k = from; k < to; k++) {
      u32 crc = r->crc ^ (u32)out[order[k]];
      for (int i = 0; i < 4; i++) crc = crc_table[crc & 255] ^ crc >> 8;
      r->crc = crc;
    }
  }
  return 0;
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

// Weights (N, K), rows and columns in the orders given, as [N / 8][K][8].
EXPORT(pack) void pack(int N, int K, const u32 *rows, const u32 *columns, const f32 *x, f32 *y) {
  for (int n = 0; n < N; n += 8)
    for (int k = 0; k < K; k++)
      for (int i = 0; i < 8; i++) *y++ = x[rows[n + i] * K + columns[k]];
}

// The same as pairs of whole numbers, [N / 8][K / 2][8][2], K rounded up to even. With `factors`, the weights of each
// channel are stretched to the Euclidean norm 2 NORM first, and its factor is by how much less it had.
EXPORT(pack_pairs)
void pack_pairs(int N, int K, const u32 *rows, const u32 *columns, const f32 *x, i16 *y, f32 *factors) {
  f32 stretch[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  for (int n = 0; n < N; n += 8) {
    for (int i = 0; factors && i < 8; i++) {
      const f32 *from = x + rows[n + i] * K;
      f32 sum = 0, most = 0;
      for (int k = 0; k < K; k++) {
        f32 size = from[k] < 0 ? -from[k] : from[k];
        sum += size * size;
        if (size > most) most = size;
      }
      f32 norm = __builtin_sqrtf(sum);
      if (norm < 2 * most) norm = 2 * most; // so that each fits into 16 bits
      stretch[i] = norm > 0 ? 2 * NORM / norm : 0;
      factors[n + i] = norm / (2 * NORM);
    }
    for (int k = 0; k < K; k += 2)
      for (int i = 0; i < 8; i++) {
        const f32 *from = x + rows[n + i] * K;
        *y++ = (i16)__builtin_rintf(from[columns[k]] * stretch[i]);
        *y++ = k + 1 < K ? (i16)__builtin_rintf(from[columns[k + 1]] * stretch[i]) : 0;
      }
  }
}

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds engine.wasm (plain SIMD) and engine-relaxed.wasm from calo.c into the folder named, ../src by default.
# Needs clang-19 and lld-19; other versions give other bytes (CLANG=... takes another compiler).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../src}
clang=${CLANG:-clang-19}
flags=(
  --target=wasm32 -Os -nostdlib -ffp-contract=off -fno-builtin-memset
  -msimd128 -mbulk-memory -mnontrapping-fptoint
  -Wl,--no-entry -Wl,--import-memory -Wl,--strip-all
  -Wl,-z,stack-size=65536 -Wl,--initial-memory=1048576 -Wl,--max-memory=4294967296
)
cd "$here"
"$clang" "${flags[@]}" calo.c -o "$out/engine.wasm"
"$clang" "${flags[@]}" -mrelaxed-simd -DRELAXED calo.c -o "$out/engine-relaxed.wasm"

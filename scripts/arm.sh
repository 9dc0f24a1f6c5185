#!/usr/bin/env bash
# Tests on x86 what is written for 64-bit ARM, under QEMU:
#
#   bash scripts/arm.sh
#
# the kernels against their scalar twins, and that a question gets the same line of JSON as here, but for the time it took.
#
# Needs on Debian the packages gcc-aarch64-linux-gnu and qemu-user, and Rust's standard library for the target: rustup target add
# aarch64-unknown-linux-gnu, or with Debian's own Rust libstd-rust-dev:arm64. Says nothing about speed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=aarch64-unknown-linux-gnu

fail() { printf 'arm.sh: %s\n' "$*" >&2; exit 1; }

for program in aarch64-linux-gnu-gcc qemu-aarch64; do
  command -v "$program" >/dev/null || fail "there is no $program; install gcc-aarch64-linux-gnu and qemu-user"
done
libraries=$(rustc --print target-libdir --target "$target")
compgen -G "$libraries/libstd-*.rlib" >/dev/null || fail "Rust's standard library for $target is not in $libraries; rustup target add $target"

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -cpu max -L /usr/aarch64-linux-gnu"

cargo test --locked --target "$target" --lib kernels

answer() { cargo run --locked --release --quiet "$@" -- --json "who leads negotiations?" | sed 's/"elapsed_ms":[0-9]*//'; }
cargo run --locked --release --quiet --target "$target" -- --version --verbose | grep 'kernels: int8, neondot' \
  || fail "the kernels for ARM are not those that would be used"
here=$(answer) there=$(answer --target "$target")
[ "$here" = "$there" ] || fail "answers differ:"$'\n'"$here"$'\n'"$there"
printf 'the same answer on both: %s\n' "$there"

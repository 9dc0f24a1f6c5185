#!/usr/bin/env bash
# Makes a folder with libtorch for the CPU (about 520 MB), which `cargo build --features libtorch` links to:
#
#   bash scripts/libtorch.sh DIR
#
# and prints the environment to set. A DIR that is complete is left as it is.
#
# The source is torch's wheel in the Python package registry (about 800 MB to download): the only one for Linux there that has CUDA,
# of which the libraries for the CPU are taken. Its libtorch_cpu.so refers to two libraries of CUDA, from the profiler only; in
# their place come stubs that say "no device". For a GPU, take libtorch 2.4.0 with CUDA from PyTorch instead, and name its folder
# in LIBTORCH.
#
# Needs python3 with pip, gcc and nm, on Linux on x86-64, and 2 GB of disk space while it works.
set -euo pipefail

version=2.4.0 # the one that tch 0.17 is made for
# Of the wheel for Python 3.11; any would do, for what is taken is the same in all.
sha256=e743adadd8c8152bb8373543964551a7cb7cc20ba898dc8f9c0cdbe47c283de0

fail() { printf 'libtorch.sh: %s\n' "$*" >&2; exit 1; }

[ $# -eq 1 ] || fail "usage: libtorch.sh DIR"
case "$(uname -s) $(uname -m)" in
  "Linux x86_64") ;;
  *) fail "there is no such wheel for $(uname -s) on $(uname -m); take libtorch $version from PyTorch and set LIBTORCH to its folder" ;;
esac
destination=$(realpath -m -- "$1")
stamp=$destination/quotable-complete # written last

environment() {
  cat <<END
export LIBTORCH='$destination'
export LIBTORCH_CXX11_ABI=0
END
}

if [ "$(cat "$stamp" 2>/dev/null)" = "$version" ]; then
  environment
  exit
fi
[ ! -e "$destination" ] || [ -z "$(ls -A -- "$destination")" ] ||
  fail "$destination is there, but not complete; remove it, or name another folder"
for tool in python3 gcc nm; do
  command -v "$tool" >/dev/null || fail "needs $tool, which is not installed"
done
python3 -m pip --version >/dev/null 2>&1 || fail "needs pip: python3 -m pip does not run"

mkdir -p -- "$(dirname "$destination")"
work=$(mktemp -d "$destination.XXXXXX") # on the same file system, so that it can be renamed
trap 'rm -rf -- "$work"' EXIT

printf 'libtorch.sh: downloading torch %s …\n' "$version" >&2
printf 'torch==%s --hash=sha256:%s\n' "$version" "$sha256" >"$work/requirements.txt"
TMPDIR=$work python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir --only-binary :all: \
  --python-version 3.11 --platform manylinux1_x86_64 --dest "$work/wheel" --requirement "$work/requirements.txt" >&2 ||
  fail "could not download torch $version; does the Python package registry answer (pip download torch==$version)?"

python3 - "$work/wheel"/torch-*.whl "$work/libtorch" <<'END' || fail "could not unpack the wheel; is the disk full?"
import os, shutil, sys, zipfile
wheel, destination = sys.argv[1:]
wanted = ("torch/include/", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp")
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        if entry.is_dir() or not entry.filename.startswith(wanted):
            continue
        path = os.path.normpath(os.path.join(destination, os.path.relpath(entry.filename, "torch")))
        assert path.startswith(destination + os.sep), path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(entry) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
END
rm -r -- "$work/wheel"

cd "$work/libtorch/lib"
[ -f libtorch_cpu.so ] && [ -f libc10.so ] || fail "the wheel has no libtorch_cpu.so and libc10.so"
# What the profiler calls, each to return cudaErrorNoDevice (100).
for library in libcudart.so.12 libcupti.so.12; do
  nm -D --undefined-only libtorch_cpu.so |
    sed -n "s/^ *U \([A-Za-z0-9_]*\)@$library\$/int \1(void) { return 100; }/p" >stub.c
  printf '%s { global: *; };\n' "$library" >stub.map
  gcc -shared -fPIC -O1 -Wl,-soname,"$library" -Wl,--version-script=stub.map stub.c -o "$library"
done
# What `-ltorch` finds: the wheel's needs CUDA, this one hands on to libtorch_cpu.so.
: >stub.c
gcc -shared -fPIC -Wl,-soname,libtorch.so -Wl,--no-as-needed stub.c -o libtorch.so -L. -l:libtorch_cpu.so -l:libc10.so \
  -Wl,-rpath,'$ORIGIN' -Wl,--unresolved-symbols=ignore-in-shared-libs
rm stub.c stub.map
cd ..
echo "$version" >build-version # torch-sys looks for it
echo "$version" >quotable-complete
cd /
chmod 755 "$work/libtorch"
[ ! -d "$destination" ] || rmdir -- "$destination"
mv -T -- "$work/libtorch" "$destination" ||
  [ "$(cat "$stamp" 2>/dev/null)" = "$version" ] || # another run was faster
  fail "could not put the folder at $destination"
environment

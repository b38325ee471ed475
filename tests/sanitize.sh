#!/usr/bin/env bash
# The kernels under sanitizers: the thread pool under ThreadSanitizer, then the CPU kernels and
# the emulated CUDA kernels under AddressSanitizer and UndefinedBehaviorSanitizer, driven by the
# tests that use the `device` fixture or are marked `sanitize`. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/sanitize
site=$build/site
mkdir -p "$build" "$site"

if [ -z "${CMAKE_CXX_COMPILER_LAUNCHER:-}" ] && command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
compile=(${CMAKE_CXX_COMPILER_LAUNCHER:-} g++)

echo "--- thread pool, ThreadSanitizer"
flags=(-std=c++17 -O1 -g -fsanitize=thread -I csrc -c)
"${compile[@]}" "${flags[@]}" csrc/base/pool.cpp -o "$build/pool.o"
"${compile[@]}" "${flags[@]}" tests/cpp/test_pool.cpp -o "$build/test_pool.o"
g++ -fsanitize=thread "$build/pool.o" "$build/test_pool.o" -o "$build/test_pool" -pthread
TSAN_OPTIONS=halt_on_error=1 timeout 120 "$build/test_pool"

echo "--- kernels, AddressSanitizer and UndefinedBehaviorSanitizer"
rm -rf "$site/pyrad_core"
cp -r pyrad_core "$site/"
find "$site" -name '*.so' -delete
ln -sfn "$PWD/csrc" "$site/csrc"
# Of UBSan what AddressSanitizer does not see; its other checks triple the time to compile.
checks=address,bounds,shift,signed-integer-overflow,integer-divide-by-zero
generator=()
if command -v ninja >/dev/null; then generator=(-G Ninja -DCMAKE_MAKE_PROGRAM="$(command -v ninja)"); fi
cmake -S . -B "$build/cmake" "${generator[@]}" -DPYRAD_EMULATOR=ON \
    -DPYRAD_SANITIZE=$checks -DCMAKE_CXX_FLAGS_RELEASE="-O0 -DNDEBUG" \
    -DPYRAD_MODULE_DIR="$PWD/$site/pyrad_core/_kernels" \
    -DPython_EXECUTABLE="$(command -v python)" \
    -Dpybind11_DIR="$(python -c 'import pybind11; print(pybind11.get_cmake_dir())')" >"$build/log"
cmake --build "$build/cmake" --target cpu emulation --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" >"$build/log" 2>&1 ||
    { tail -n 60 "$build/log"; exit 1; }

# Python itself is not instrumented: the libraries are preloaded, its own allocator is switched
# off so that every array has its redzones, and what it leaks at exit is not ours.
export LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export PYTHONSAFEPATH=1 # this folder's pyrad_core has other binaries
export PYTHONMALLOC=malloc PYTHONPATH=$PWD/$site PYRAD_EMULATOR_DIR=$PWD/$build/cmake/module
exec timeout 600 python -m pytest -q -n auto -m "sanitize and not gpu" -p no:cacheprovider "$@"

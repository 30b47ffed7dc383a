#!/bin/sh
# What this package does on a GPU, in ten minutes, as a text to be sent:
#
#     . .venv/bin/activate; sh benchmarks/gpu.sh | tee told.txt
#     TRIAL=1 sh benchmarks/gpu.sh    # in short, on a processor
#
# The book's experiment in PyTorch and JAX, where these are installed, twice in
# each precision: with nothing compiled before, then with what was kept.
set -eu
cd "$(dirname "$0")/.."
train='--experiment book --num-gpus 1'
bench='--resize 224 --rounds 2 --seconds 5 --num-gpus 1'
if [ "${TRIAL:-}" ]; then
    train='--num-train 640 --num-val 64 --max-epochs 1 --num-gpus 0'
    bench='--resize 32 --rounds 1 --seconds 0.1'
elif ! python -c 'from d2l_vgg import gpus; gpus.driver()[0].gpus[0]' \
    2>/dev/null; then
    # shellcheck disable=SC2016  # What stands in backquotes is to be typed
    echo 'No NVIDIA GPU answers here: `d2l-vgg doctor` tells why.' >&2
    exit 1
fi
# Beside the sources, as /tmp may be no disk
folder=$(mktemp -d ./gpu-XXXXXX)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
export PYTHONPATH="$PWD" MPLCONFIGDIR="$PWD/$folder/fonts"

timed() {
    echo "## $*"
    start=$(date +%s.%N)
    status=0
    python "$@" 2>&1 || status=$?
    seconds=$(echo "$start $(date +%s.%N)" | awk '{print $2 - $1}')
    echo "## status $status after $seconds seconds"
}

names=$(python -c 'from importlib.util import find_spec
print(*filter(find_spec, ["torch", "jax"]))')
timed -m d2l_vgg doctor --json
# Looks for fonts, as a reader's machine has done before
timed -m d2l_vgg curves chapter/results/book --output "$folder/curves"
for name in $names; do
    for precision in float32 bfloat16; do
        export XDG_CACHE_HOME="$PWD/$folder/$name-$precision"
        for run in cold warm; do
            # shellcheck disable=SC2086  # Several words
            timed -m d2l_vgg train --framework "$name" $train --runs \
                "$folder/$name-$precision" --precision $precision --name $run
            timed -m d2l_vgg curves "$folder/$name-$precision/$run" \
                --output "$folder/curves"
        done
    done
done
unset XDG_CACHE_HOME
timed -m pytest -q tests/trainer/test_gpu.py
# shellcheck disable=SC2086
timed benchmarks/bench.py --no-stock --framework $names $bench

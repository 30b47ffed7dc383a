#!/bin/sh
# What the book's experiment takes on a GPU, cold and warm, in PyTorch and JAX.
#     scripts/gpu_check.sh [PYTHON] [OPTIONS OF train, such as on a CPU
#         --resize 32 --num-train 256 --num-val 64 --max-epochs 1]
# Not done yet: CUDA graphs of the eager step against inductor, and the first
# block as one Triton kernel (a convolution writes 4 times what pooling keeps).
# "Total" is the command's, "fit" the training's with its compiling.
python=${1:-python}
[ $# -gt 0 ] && shift
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
export XDG_CACHE_HOME="$folder/cache"
unset TORCHINDUCTOR_CACHE_DIR JAX_COMPILATION_CACHE_DIR

seconds() {
    "$python" - "$1" <<'END'
import json, os, sys
folder = sys.argv[1]
with open(os.path.join(folder, 'run.json')) as file:
    run = json.load(file)
print('fit', run.get('seconds'), 's', run.get('results'))
END
}

for kind in torch:float32 torch:bfloat16 jax:float32; do
    framework=${kind%:*} precision=${kind#*:}
    for start in cold warm; do
        begun=$(date +%s)
        "$python" -m d2l_vgg.cli train --experiment book --name "$start" \
            --runs "$folder/$kind" --framework "$framework" \
            --precision "$precision" --display none "$@" \
            >"$folder/log" 2>&1 || { tail -n 3 "$folder/log"; continue; }
        echo "$kind, $start: total $(($(date +%s) - begun)) s"
        seconds "$folder/$kind/$start"
        "$python" -m d2l_vgg.cli curves "$folder/$kind/$start" | tail -n 3
    done
done

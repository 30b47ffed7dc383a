#!/bin/sh
# Pin in constraints/ what is installed with each Python.
#
# uv (`pip install uv`) finds versions that work together and with each Python
# from its first release on: 3.11.0, not only the latest 3.11. What is pinned
# stays where it can; `--upgrade` takes the newest of everything.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."

# The pins of d2l 1.0.3, where there are builds of them, and what fits them
d2l='numpy==1.23.5 matplotlib==3.7.2 matplotlib-inline==0.1.6 pandas==2.0.3
    requests==2.31.0 ipython<9'

for minor in 8 9 10 11 12 13 14; do
    case $minor in
    12) fixed='numpy==1.26.4' ;;
    13 | 14) fixed='numpy==2.4.6' ;; # All four frameworks can do with it
    *) fixed=$d2l ;;
    esac
    file=constraints/py3$minor.txt
    echo "$fixed" | tr -s ' ' '\n' |
        uv pip compile setup.py --constraint - --python-version "3.$minor.0" \
            --extra mxnet-needs,test,book,notebook,lint \
            --quiet --no-header --no-annotate --output-file "$file" "$@"
    { echo "# Exact versions for Python 3.$minor, by scripts/pin_versions.sh"
        cat "$file"; } >"$file.part"
    mv "$file.part" "$file"
done

#!/bin/sh
# d2lbook 1.0.3: a notebook of one tab is made by text, not by running
# `tab.selected`: an `if` with these words and the tab's name is taken away and
# four letters of each line below. So `if not tab.selected(...)` does the
# opposite, the body of an `if` in one line is lost, and a body that is indented
# by two spaces loses two letters.
#
# Seen for the tab mxnet: `if not tab.selected('mxnet'):` keeps its body, of
# `if tab.selected('mxnet'): x = 1` nothing is left, `  value = 1` becomes
# `lue = 1`.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q --no-deps d2lbook==1.0.3 d2l-notedown==2.1.0
"$folder/env/bin/pip" install -q nbconvert==7.17.2 nbformat==5.11.1 \
    pandoc-attributes==0.1.7 pandocfilters==1.5.1 six==1.17.0 'setuptools<81'
"$folder/env/bin/python" - <<'END'
import nbformat
from d2lbook import notebook


def cell(source):
    code = nbformat.v4.new_code_cell(f'%%tab all\n{source}')
    book = nbformat.v4.new_notebook(cells=[code])
    return notebook.get_tab_notebook(book, 'mxnet', 'mxnet').cells[0].source


opposite = cell("if not tab.selected('mxnet'):\n    x = 1")
one_line = cell("if tab.selected('mxnet'): x = 1\ny = 2")
two_spaces = cell("if tab.selected('mxnet'):\n  value = 1\ny = 2")
print([opposite, one_line, two_spaces])
assert opposite == 'x = 1'
assert one_line == 'y = 2'
assert two_spaces == 'lue = 1\ny = 2'
END

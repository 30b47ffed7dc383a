"""The tables of figures in the texts are those that the records give."""

import os

from processes import ROOT


def test_tables_in_texts_are_those_that_the_command_writes(monkeypatch):
    """Otherwise run `python scripts/write_tables.py`."""
    monkeypatch.syspath_prepend(os.path.join(ROOT, 'scripts'))
    import write_tables

    names = []
    for path in write_tables.TEXTS:
        text = path.read_text(encoding='utf-8')
        assert write_tables.written(text) == text, path
        names += [name for _, name, _ in write_tables.MARKED.findall(text)]
    assert sorted(names) == sorted(write_tables.TABLES)


def test_split_counts_splits_that_differ_as_much(monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(ROOT, 'scripts'))
    import write_tables

    # Of the six splits of 1, 2, 3, 4, this one and its mirror image
    assert write_tables.split([3, 4], [1, 2]) == (2, 2, 6)
    assert write_tables.split([1, 4], [2, 3]) == (0, 6, 6)

"""Foreign text cannot steer a terminal."""

import pytest

from d2l_vgg.foreign_text import visible


@pytest.mark.parametrize(
    'text, shown',
    [
        ('quick-2', 'quick-2'),
        ('\u6df1\u5ea6 \xe9', '\u6df1\u5ea6 \xe9'),
        ('\x1b[2Jgone', '\\x1b[2Jgone'),
        ('two\nlines\r\tand', 'two\\nlines\\r\\tand'),
        ('\x9b31m', '\\x9b31m'),
        # It turns what follows around
        ('\u202egnp.exe', '\\u202egnp.exe'),
        ('\ud800', '\\ud800'),
        ('two\u2028lines', 'two\\u2028lines'),
        (5, '5'),
    ],
)
def test_only_what_can_be_seen_is_left(text, shown):
    assert visible(text) == shown

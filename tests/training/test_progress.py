"""What is shown while a run trains."""

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from d2l_vgg.training import progress
from d2l_vgg.training.history import History


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """What a notebook's cell is given to show, in order."""
    monkeypatch.setenv('IPYTHONDIR', str(tmp_path))
    shell = InteractiveShell.instance()
    shell.display_pub = CapturingDisplayPublisher()
    yield shell.display_pub.outputs
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_the_board_is_redrawn_in_its_place_at_every_point(shown):
    history = History(4, 1)
    board = progress.make('board')
    board.note = 'stand-in'
    board.start(total=50, done=0, max_epochs=10)
    for i in range(3):
        history.record('train_loss', i / 2, 2.0 - i, 1)
        board.point(history)
    first, *others = shown
    assert [other['update'] for other in others] == [True, True]
    places = {str(output['transient']) for output in shown}
    assert len(places) == 1 and 'display_id' in first['transient']
    pictures = [output['data']['image/svg+xml'] for output in shown]
    assert len(set(pictures)) == 3
    for picture in pictures:
        # As far as the run will go, from the first point on
        assert '<!-- 10 -->' in picture
        assert '<!-- stand-in -->' in picture

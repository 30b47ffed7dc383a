"""The figures of the README are those of the recorded run."""

import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def test_the_quick_run_is_told_as_it_was():
    root = os.path.dirname(HERE)
    record = os.path.join(root, 'chapter', 'results', 'quick', 'run.json')
    with open(record, encoding='utf-8') as file:
        info = json.load(file)
    with open(os.path.join(root, 'README.md'), encoding='utf-8') as file:
        text = ' '.join(file.read().split())
    assert not info['data']['stand_in'] and info['status'] == 'finished'
    accuracy, seconds = info['results']['val_acc'], info['seconds']
    assert f'validation accuracy {accuracy:.4f}' in text
    assert f'after {seconds:.0f} seconds on two cores' in text
    assert info['machine']['processor'] in text

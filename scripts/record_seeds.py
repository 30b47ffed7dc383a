"""Train experiments of the chapter from several seeds; keep how they end.

    python scripts/record_seeds.py TAB SEEDS WHAT...

`SEEDS` is how many, `WHAT` is `plain`, the section's first experiment, or
one of the networks of "Deep or Wide": `pairs`, `large`, `wide`. A line of
chapter/results/lesson/seeds.csv tells each run as soon as it has ended.
"""

import csv
import os
import sys
from pathlib import Path

import page_cells

from d2l_vgg import frameworks

CHAPTER = Path(__file__).parents[1] / 'chapter'
RECORD = CHAPTER / 'results' / 'lesson' / 'seeds.csv'
FIELDS = (
    'what', 'framework', 'family', 'threads', 'seed',
    'val_acc', 'val_loss', 'train_loss', 'seconds',
)  # fmt: skip
# In the order of the cell that trains them
NETWORKS = 'pairs', 'large', 'wide'


def train(tab, what, seed):
    """Run the cell that trains `what`; return its trainer."""
    package = frameworks.load(frameworks.named(tab))
    Trainer, made = package.Trainer, []

    def seeded(*args, **words):
        words = {'seed': seed, 'display': 'none', **words}
        made.append(Trainer(*args, **words))
        return made[-1]

    package.Trainer = seeded
    try:
        run_cells(tab, what, seed)
    finally:
        package.Trainer = Trainer
    return made[-1]


def run_cells(tab, what, seed):
    shown = {}
    for cell in page_cells.read(CHAPTER / 'vgg.md', tab):
        if what == 'plain' and 'plain = trainer.fit' in cell:
            exec(cell, shown)
            return
        if what in NETWORKS and 'train_seeds(arch=' in cell:
            asked, train_seeds = [], shown['train_seeds']
            shown['train_seeds'] = lambda **words: asked.append(words)
            exec(cell, shown)
            train_seeds(**asked[NETWORKS.index(what)], seeds=[seed])
            return
        # What it uses: the imports, with which the page begins, and classes
        if not shown or cell.startswith(('def ', 'class ')):
            exec(cell, shown)
    raise ValueError(f'The page has no cell that trains {what!r}.')


def family():
    """Return the family of the processor, which its name does not tell."""
    for line in Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('cpu family'):
            return line.split()[-1]
    return ''


def main(tab, seeds, *names):
    for seed in range(int(seeds)):
        for what in names:
            trainer = train(tab, what, seed)
            row = {
                'what': what,
                'framework': frameworks.named(tab),
                'family': family(),
                'threads': os.environ.get('OMP_NUM_THREADS'),
                'seed': seed,
                **trainer.history.final,
                'seconds': round(trainer.seconds, 1),
            }
            with open(RECORD, 'a', newline='') as file:
                csv.DictWriter(file, FIELDS, lineterminator='\n').writerow(row)
            print(row, flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])

"""Train experiments of the chapter from several seeds; keep how they end.

    python scripts/record_seeds.py TAB FIRST LAST WHAT...

trains from the seeds FIRST to LAST. `WHAT` is `minute`, the section's first
two experiments, or one of the networks of "Deep or Wide": `pairs`, `large`,
`wide`. A line of chapter/results/lesson/seeds.csv tells each run as soon as
it has ended; of MXNet's first seed of `minute`, curves.svg is drawn, too.
"""

import csv
import os
import sys
from pathlib import Path

import page_cells

from d2l_vgg import figures, frameworks

CHAPTER = Path(__file__).parents[1] / 'chapter'
RECORD = CHAPTER / 'results' / 'lesson' / 'seeds.csv'
FIELDS = (
    'what', 'framework', 'family', 'threads', 'seed',
    'val_acc', 'val_loss', 'train_loss', 'seconds',
)  # fmt: skip
MINUTE = 'plain', 'normalized'
TITLES = 'plain', 'batch normalization'
# In the order of the cell that trains them
NETWORKS = 'pairs', 'large', 'wide'


def train(tab, what, seed):
    """Run the cells that train `what`; return a trainer for each training."""
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
    return made


def run_cells(tab, what, seed):
    shown, asked = {}, []
    for cell in page_cells.read(CHAPTER / 'vgg.md', tab):
        if what == 'minute' and '_trainer.fit(' in cell:
            exec(cell, shown)
            if 'normalized_trainer' in shown:
                return
        if what in NETWORKS and 'train_seeds(arch=' in cell:
            train_seeds = shown['train_seeds']
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


def main(tab, first, last, *names):
    for seed in range(int(first), int(last) + 1):
        for what in names:
            trainers = train(tab, what, seed)
            kept = MINUTE if what == 'minute' else [what]
            for name, trainer in zip(kept, trainers):
                keep(name, tab, seed, trainer)
            if (tab, what, seed) == ('mxnet', 'minute', 0):
                histories = [trainer.history for trainer in trainers]
                figure = figures.curves(dict(zip(TITLES, histories)))
                figures.save(figure, RECORD.with_name('curves'))


def keep(what, tab, seed, trainer):
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

"""How a model's layers are laid out, whatever framework they come from."""

from d2l_vgg.networks.summaries import Row, table

ROWS = [
    Row(
        'Sequential',
        (2, 8, 4, 4),
        100,
        900,
        (
            Row('conv', (2, 8, 8, 8), 60, 500),
            Row('norm', (2, 8, 8, 8), 10, 0),
            Row('conv', (2, 8, 8, 8), 30, 400),
            Row('pool', (2, 8, 4, 4), 0, 0),
        ),
    ),
    Row('Dense', (2, 10), 1290, 1280),
]


def test_parts_have_the_names_of_the_paper():
    lines = table(ROWS, details=True).splitlines()
    assert [' '.join(line.split()) for line in lines] == [
        'parameters mult-adds',
        'Sequential output shape: (2, 8, 4, 4) 100 900',
        'conv1_1 output shape: (2, 8, 8, 8) 60 500',
        'norm1_1 output shape: (2, 8, 8, 8) 10 0',
        'conv1_2 output shape: (2, 8, 8, 8) 30 400',
        'pool1 output shape: (2, 8, 4, 4) 0 0',
        'Dense output shape: (2, 10) 1,290 1,280',
        'Total 1,390 2,180',
    ]

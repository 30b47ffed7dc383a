"""`d2l-vgg chapter`: the chapter as page, notebooks, slides or PDF."""

import os

from d2l_vgg.commands.options import (
    argument,
    choice,
    command,
    option,
    path,
    switch,
    text,
)


@command(
    argument(
        'folder', 'the d2lbook project [chapter]', path, default='chapter'
    ),
    choice('--only', ['notebooks', 'slides', 'pdf'], 'build just these'),
    option('--tab', text, 'of the slides or the PDF [the first]'),
    switch('--no-run', 'run no cells, only convert'),
    option('--copy-to', path, 'copy the notebooks there, but over none'),
    switch('--keep-output', 'leave in the notebooks what cells print'),
)
def chapter(folder, only, tab, no_run, copy_to, keep_output):
    """Build the chapter: a web page with tabs, a notebook for each tab.

    Cells run while the page is built, with training cut short to
    $D2L_VGG_TRIAL minibatches (1).
    """
    from d2l_vgg.chapter import builder

    if keep_output and no_run:
        raise ValueError(
            '--keep-output needs the cells to run: leave out --no-run.'
        )
    if only in ('slides', 'pdf'):
        if keep_output or copy_to:
            raise ValueError(
                '--keep-output and --copy-to are for notebooks, not for '
                f'{only}: leave them out.'
            )
        build = {'slides': builder.slides, 'pdf': builder.pdf}[only]
        print(f'{"PDF" if only == "pdf" else "Slides"}: {build(folder, tab)}')
        return
    page = only != 'notebooks'
    built = builder.build(
        folder,
        # For their output, cells are run even without the page
        run_cells=keep_output or (page and not no_run),
        page=page,
        keep_output=keep_output,
    )
    print(f'{"Page" if page else "Notebooks"}: {built}')
    if copy_to:
        notebooks = os.path.join(folder, '_build', 'notebooks')
        builder.hand_out(notebooks, copy_to)
        print(
            f'Your own copy is in {copy_to}: it is never written over, so '
            'remove it to get a new one.'
        )

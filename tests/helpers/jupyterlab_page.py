"""A JupyterLab of its own, and a notebook in it that a browser shows.

What a reader does there is done as a reader does it. What stands in the
notebook is read from JupyterLab's own model of it, since only the cells that
are in sight are drawn.
"""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request

from browser import end, wait_for

PANEL = 'jupyterapp.shell.currentWidget'
CELLS = f'{PANEL}.content.widgets'
# A notebook is drawn, and its kernel waits for a cell
READY = f"""typeof jupyterapp != 'undefined' && {PANEL}?.isRevealed
    && {PANEL}.sessionContext?.session?.kernel?.status == 'idle'"""


@contextlib.contextmanager
def serving(folder, settings, **environment):
    """Run JupyterLab in `folder`; give its address.

    Args:
        folder: where the notebooks are
        settings: a folder for what JupyterLab keeps for itself
        environment: of it and its kernels, beside what is there
    """
    runtime = settings / 'runtime'
    process = subprocess.Popen(
        [sys.executable, '-m', 'jupyterlab', '--no-browser', '--allow-root']
        + ['--port=0', f'--notebook-dir={folder}', '--expose-app-in-browser']
        + ['--IdentityProvider.token='],
        env={
            **os.environ,
            'JUPYTER_RUNTIME_DIR': str(runtime),
            'JUPYTER_CONFIG_DIR': str(settings / 'config'),
            'JUPYTERLAB_SETTINGS_DIR': str(settings / 'lab'),
            'JUPYTERLAB_WORKSPACES_DIR': str(settings / 'workspaces'),
            'IPYTHONDIR': str(settings / 'ipython'),
            'JUPYTER_PREFER_ENV_PATH': '1',
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: list(runtime.glob('jpserver-*.json')), 60)
        (told,) = runtime.glob('jpserver-*.json')
        address = json.loads(told.read_text())['url']
        wait_for(lambda: _answers(address), 60)
        yield address
    finally:
        end(process)


def _answers(address):
    try:
        with urllib.request.urlopen(address + 'api', timeout=5):
            return True
    except OSError:
        return False


class Notebook:
    """A notebook that is open in JupyterLab: `browser` shows it."""

    def __init__(self, browser, address, path):
        self.browser = browser
        browser.call('Page.navigate', url=f'{address}lab/tree/{path}?reset')
        wait_for(lambda: browser.run(READY), 60)
        code = f"{CELLS}.flatMap((c, i) => c.model.type == 'code' ? [i] : [])"
        self.code = browser.run(code)

    def close(self):
        """End its kernel."""
        self.browser.run(f'{PANEL}.sessionContext.shutdown()')

    def command(self, name):
        """Do what an entry of a menu does, and do not wait for its end."""
        self.browser.run(f'jupyterapp.commands.execute({name!r}), 1')

    def run_all(self):
        self.command('notebook:run-all-cells')

    def run(self, number):
        """Run the code cell of this number."""
        self.browser.run(
            f'{PANEL}.content.activeCellIndex = {self.code[number]}'
        )
        self.command('notebook:run-cell')

    def stop(self):
        """Press the square button."""
        box = self.browser.run(
            "document.querySelector('[data-jp-item-name=interrupt]')"
            '.getBoundingClientRect().toJSON()'
        )
        for kind in 'mousePressed', 'mouseReleased':
            self.browser.call(
                'Input.dispatchMouseEvent',
                type=kind,
                x=box['x'] + box['width'] / 2,
                y=box['y'] + box['height'] / 2,
                button='left',
                clickCount=1,
            )

    def is_busy(self):
        """Return whether a cell runs or waits for its turn."""
        return self.browser.run(
            f"{CELLS}.some(cell => cell.model.type == 'code'"
            " && cell.model.executionState != 'idle')"
        )

    def cell(self, number):
        """Return the code cell of this number, as a file would hold it."""
        cell = f'{CELLS}[{self.code[number]}].model.toJSON()'
        return self.browser.run(cell)

    def printed(self, number):
        """Return the text below a code cell."""
        return ''.join(
            ''.join(output.get('text') or output['data']['text/plain'])
            for output in self.cell(number)['outputs']
            if output['output_type'] != 'error'
        )

    def errors(self, number):
        """Return the name and the text of each error below a code cell."""
        return [
            (output['ename'], '\n'.join(output['traceback']))
            for output in self.cell(number)['outputs']
            if output['output_type'] == 'error'
        ]

    def shown(self, number):
        """Return what the page shows below a code cell.

        That is its text, and the width of its picture in pixels, or None.
        """
        index = self.code[number]
        self.browser.run(f"{PANEL}.content.scrollToItem({index}, 'start')")
        area = f'{CELLS}[{index}].outputArea.node'
        picture = f"{area}.querySelector(':is(svg, img)')"
        return (
            self.browser.run(f'{area}.innerText'),
            self.browser.run(f'{picture}?.getBoundingClientRect().width'),
        )

"""A headless Chromium that opens a file and answers questions about it.

It speaks the Chrome DevTools Protocol over a web socket. What the page asked
for and what it wrote to its console are kept.
"""

import base64
import io
import json
import os
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
# What a key does by itself, such as to move the page, needs its code
KEYS = {
    'Enter': {'text': '\r', 'windowsVirtualKeyCode': 13},
    'Tab': {'windowsVirtualKeyCode': 9},
    ' ': {'text': ' ', 'windowsVirtualKeyCode': 32},
    'ArrowLeft': {'windowsVirtualKeyCode': 37},
    'ArrowUp': {'windowsVirtualKeyCode': 38},
    'ArrowRight': {'windowsVirtualKeyCode': 39},
    'ArrowDown': {'windowsVirtualKeyCode': 40},
}
VIOLATIONS = """axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
    resultTypes: ['violations'],
}).then(found => found.violations.map(
    v => [v.id, v.nodes[0].html, v.nodes[0].failureSummary]))"""


class Browser:
    """One page in a Chromium of its own: use it in a `with` statement."""

    def __enter__(self):
        import websocket

        self.folder = tempfile.mkdtemp()
        self.process = subprocess.Popen(
            [
                CHROMIUM,
                '--headless',
                '--no-sandbox',
                '--disable-gpu',
                '--disable-background-networking',
                '--no-first-run',
                '--remote-debugging-port=0',
                '--remote-allow-origins=*',
                f'--user-data-dir={self.folder}',
                'about:blank',
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        path = os.path.join(self.folder, 'DevToolsActivePort')
        wait_for(lambda: os.path.exists(path) and os.path.getsize(path))
        with open(path) as file:
            port, address = file.read().split()
        self.socket = websocket.create_connection(
            f'ws://127.0.0.1:{port}{address}', timeout=60
        )
        self.number, self.session = 0, None
        self.requests, self.console = [], []
        target = self.call('Target.createTarget', url='about:blank')
        self.session = self.call(
            'Target.attachToTarget',
            targetId=target['targetId'],
            flatten=True,
        )['sessionId']
        for domain in 'Page', 'Network', 'Runtime', 'Log':
            self.call(domain + '.enable')
        return self

    def __exit__(self, *exception):
        self.socket.close()
        end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, **params):
        """Send a command and return its result."""
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': params}
        if self.session:
            message['sessionId'] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            self.note(answer)
            if answer.get('id') == self.number:
                assert 'error' not in answer, answer['error']
                return answer['result']

    def note(self, event):
        """Keep what the page asks for and complains of."""
        params = event.get('params', {})
        method = event.get('method')
        if method == 'Network.requestWillBeSent':
            self.requests.append(params['request']['url'])
        elif method == 'Runtime.exceptionThrown':
            self.console.append(params['exceptionDetails']['text'])
        elif method == 'Runtime.consoleAPICalled':
            if params['type'] in ('error', 'warning', 'assert'):
                self.console.append(str(params['args']))
        elif method == 'Log.entryAdded':
            if params['entry']['level'] in ('error', 'warning'):
                self.console.append(params['entry']['text'])

    def set_size(self, width, height):
        """Make the window of this size, in pixels."""
        self.call(
            'Emulation.setDeviceMetricsOverride',
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def open(self, path, width=1280, height=900, fragment=''):
        """Load the file `path` in a window of this size, in pixels."""
        # From another page: a new fragment alone would load nothing
        self.call('Page.navigate', url='about:blank')
        self.set_size(width, height)
        address = 'file://' + os.path.abspath(path)
        if fragment:
            address += '#' + fragment
        self.call('Page.navigate', url=address)
        wait_for(lambda: self.run('location.protocol') == 'file:')
        wait_for(lambda: self.run('document.readyState') == 'complete')
        wait_for(lambda: self.run('!window.MathJax || !!MathJax.startup'))
        self.run('window.MathJax && MathJax.startup.promise.then(() => 1)')

    def show(self, path, width=1280, scheme='light', **options):
        """Open a file, and forget what was asked for and written before."""
        self.requests.clear()
        self.console.clear()
        self.call(
            'Emulation.setEmulatedMedia',
            media='',
            features=[{'name': 'prefers-color-scheme', 'value': scheme}],
        )
        self.open(path, width, **options)

    def run(self, expression):
        """Return the value of an expression in the page."""
        result = self.call(
            'Runtime.evaluate',
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        assert 'exceptionDetails' not in result, result['exceptionDetails']
        return result['result'].get('value')

    def place(self, selector, x=0.5, y=0.5):
        """Scroll an element to the middle; return where a part of it is.

        `x` and `y` go from 0 to 1, from its left upper corner.
        """
        left, top, width, height = self.run(
            f"""(() => {{
                const part = document.querySelector('{selector}');
                part.scrollIntoView({{block: 'center', behavior: 'instant'}});
                const {{left, top, width, height}} =
                    part.getBoundingClientRect();
                return [left, top, width, height];
            }})()"""
        )
        return {'x': left + x * width, 'y': top + y * height}

    def mouse(self, kind, selector, *at):
        self.call(
            'Input.dispatchMouseEvent',
            type=kind,
            button='none' if kind == 'mouseMoved' else 'left',
            clickCount=1,
            **self.place(selector, *at),
        )

    def click(self, selector, way=((0.5, 0.5),)):
        """Press the mouse on an element, move it along `way`, let it go."""
        self.mouse('mousePressed', selector, *way[0])
        for at in way[1:]:
            self.mouse('mouseMoved', selector, *at)
        self.mouse('mouseReleased', selector, *way[-1])

    def tap(self, selector, way=((0.5, 0.5),)):
        """Do the same with a finger."""
        for i, at in enumerate(way):
            self.call(
                'Input.dispatchTouchEvent',
                type='touchMove' if i else 'touchStart',
                touchPoints=[self.place(selector, *at)],
            )
        self.call('Input.dispatchTouchEvent', type='touchEnd', touchPoints=[])

    def press(self, key, count=1, shift=False):
        """Press and let go a key, on what has the focus."""
        for _ in range(count):
            for kind in 'keyDown', 'keyUp':
                self.call(
                    'Input.dispatchKeyEvent',
                    type=kind,
                    key=key,
                    modifiers=8 if shift else 0,
                    **KEYS.get(key, {}),
                )

    def focus(self, selector):
        self.run(
            f"""document.querySelector('{selector}').focus(
                {{preventScroll: true}})"""
        )

    def copied_by(self, button):
        """Click a button, an expression; return the text it copies."""
        return self.run(
            f"""(async () => {{
                let text = null;
                Object.defineProperty(navigator, 'clipboard', {{value: {{
                    writeText: async t => {{ text = t; }}}}}});
                {button}.click();
                await new Promise(done => setTimeout(done, 50));
                return text;
            }})()"""
        )

    def picture(self, clip):
        """Return a screenshot of a part of the page, in grey."""
        from PIL import Image

        data = self.call('Page.captureScreenshot', clip=clip)['data']
        return Image.open(io.BytesIO(base64.b64decode(data))).convert('L')

    def violations(self):
        """Return what is against WCAG 2.1 AA, as far as axe-core can tell."""
        import axe_core_python

        if self.run("typeof axe === 'undefined'"):
            home = os.path.dirname(axe_core_python.__file__)
            path = os.path.join(home, 'axe.min.js')
            with open(path, encoding='utf-8') as file:
                self.run(file.read() + '; 1')
        return self.run(VIOLATIONS)


def end(process):
    """End a process, which may take its time."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'the browser does not answer'
        time.sleep(0.05)

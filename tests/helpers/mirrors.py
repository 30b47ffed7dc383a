"""Mirrors of a data set with the vices of real ones, on this machine."""

import contextlib
import http.server
import re
import threading

from small_files import ARCHIVES


class Mirror(http.server.ThreadingHTTPServer):
    """An HTTP server with the vices of real ones.

    Args:
        archives: dict from file name to bytes.
        ranges: whether it can send the rest of a file.
        breaks_after: so many bytes are sent before it hangs up ...
        num_breaks: ... this many times.
        hangs_after: it falls silent at this byte of the file.
        status: what it answers instead of a file.
        endless: it does not tell the size and goes on after the file.
    """

    daemon_threads = True

    def __init__(
        self,
        archives=ARCHIVES,
        ranges=True,
        breaks_after=None,
        num_breaks=10**6,
        hangs_after=None,
        status=None,
        endless=False,
    ):
        super().__init__(('127.0.0.1', 0), Answer)
        self.archives, self.ranges, self.status = archives, ranges, status
        self.breaks_after, self.num_breaks = breaks_after, num_breaks
        self.hangs_after = hangs_after
        self.endless, self.sent = endless, 0
        self.requests = []
        self.closing = threading.Event()
        # Looks this often, in seconds, whether it should end
        threading.Thread(
            target=self.serve_forever, args=[0.02], daemon=True
        ).start()

    @property
    def address(self):
        return f'http://127.0.0.1:{self.server_port}/'

    def close(self):
        self.closing.set()
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    """One answer of a `Mirror`."""

    def do_GET(self):
        mirror, name = self.server, self.path.lstrip('/')
        asked = re.match(r'bytes=(\d+)-$', self.headers.get('Range', ''))
        start = int(asked.group(1)) if asked and mirror.ranges else 0
        mirror.requests.append((name, int(asked.group(1)) if asked else 0))
        if mirror.status or name not in mirror.archives:
            self.send_error(mirror.status or 404)
            return
        archive = mirror.archives[name]
        if start >= len(archive):
            self.send_error(416)
            return
        body = archive[start:]
        self.send_response(206 if start else 200)
        if start:
            end = len(archive) - 1
            self.send_header(
                'Content-Range', f'bytes {start}-{end}/{len(archive)}'
            )
        if mirror.endless:
            self.end_headers()
            self.send_without_end(body)
            return
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if mirror.breaks_after is not None and mirror.num_breaks > 0:
            mirror.num_breaks -= 1
            body = body[: mirror.breaks_after]
        if mirror.hangs_after is not None:
            self.wfile.write(body[: max(mirror.hangs_after - start, 0)])
            self.wfile.flush()
            mirror.closing.wait(20)
            return
        self.wfile.write(body)

    def send_without_end(self, body):
        with contextlib.suppress(ConnectionError):
            while not self.server.closing.is_set():
                self.wfile.write(body)
                self.server.sent += len(body)
                body = bytes(2**16)

    def log_message(self, *args):
        pass

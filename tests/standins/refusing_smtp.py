"""A real SMTP server on loopback that answers RCPT with the code it is given."""

import socketserver
import threading


class RefusingSmtp:
    """`recipients` counts how many were named to it."""

    def __init__(self, rcpt: int = 550):
        self.rcpt = rcpt
        self.recipients = 0

    def __enter__(self):
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.say("220 refusing.example")
                for line in self.rfile:
                    verb = line[:4].upper()
                    outer.recipients += verb == b"RCPT"
                    self.say(f"{outer.rcpt} no such mailbox" if verb == b"RCPT" else "250 ok")

            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

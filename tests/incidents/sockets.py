"""Driving the real ASGI application as a browser would."""

import json

from channels.testing import WebsocketCommunicator

from kriptik_ops.asgi import application

ORIGIN = "https://forge.example"
WAIT_S = 10  # a busy machine


def hello_frame(host, **values):
    hello = {
        "type": "hello",
        "v": 1,
        "key": host.public_key,
        "session": None,
        "identity": None,
        "page": f"{ORIGIN}/studio",
        "sdk": "0.1.0",
        "locale": "en",
        "user_agent": "test",
    }
    return hello | values


class Browser:
    """One tab: opens a socket, says hello, sends frames and reads answers."""

    def __init__(self, origin=ORIGIN):
        headers = [(b"origin", origin.encode())] if origin else []
        self.socket = WebsocketCommunicator(application, "/sdk/v1/socket", headers=headers)
        self.welcome = None

    async def open(self):
        connected, _ = await self.socket.connect(timeout=WAIT_S)
        assert connected
        return self

    async def hello(self, host, **values):
        """Says hello; returns the snapshot's incidents."""
        await self.send(hello_frame(host, **values))
        self.welcome = await self.receive("welcome")
        return (await self.receive("snapshot"))["incidents"]

    async def send(self, frame):
        await self.send_text(json.dumps(frame))

    async def send_text(self, text):
        await self.socket.send_to(text_data=text)

    async def receive(self, kind=None):
        """The next frame; with `kind`, others before it are passed over (kept in `self.passed`)."""
        self.passed = []
        while True:
            frame = json.loads(await self.socket.receive_from(timeout=WAIT_S))
            if kind is None or frame["type"] == kind:
                return frame
            self.passed.append(frame)

    async def nothing(self):
        return await self.socket.receive_nothing(timeout=0.1)

    async def closed(self):
        """The close code; frames before it are passed over."""
        while True:
            output = await self.socket.receive_output(timeout=WAIT_S)
            if output["type"] == "websocket.close":
                await self.leave()
                return output["code"]

    async def leave(self):
        await self.socket.disconnect(timeout=WAIT_S)

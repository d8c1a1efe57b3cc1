"""The SDK's socket."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class SdkConsumer(AsyncJsonWebsocketConsumer):
    """See docs/protocol.md."""

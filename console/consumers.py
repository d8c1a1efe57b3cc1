"""The console's socket: wakes an open console page when something changed."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class ConsoleConsumer(AsyncJsonWebsocketConsumer):
    """Accepts a verified owner only; everybody else is closed with 4403."""

    async def connect(self) -> None:
        user = self.scope.get("user")
        await self.accept()
        if user is None or not user.is_staff:
            await self.close(code=4403)

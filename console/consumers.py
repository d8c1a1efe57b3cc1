"""The console's socket: wakes an open console page when something changed. It carries no data."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.models import Device

from console.access import session_fault, session_of

GROUP = "console"
REFUSED = 4403


class ConsoleConsumer(AsyncJsonWebsocketConsumer):
    """Accepts the verified owner in a running session; everybody else is closed with 4403."""

    async def connect(self) -> None:
        may_stay = await self._may_stay()
        if may_stay:
            # Before accepting: what changes once the page thinks it listens must not pass it by.
            await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()
        if not may_stay:
            await self.close(code=REFUSED)

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive_json(self, content: Any, **_: Any) -> None:
        """The page has nothing to say here; whatever comes is dropped."""

    async def console_wake(self, event: dict[str, Any]) -> None:
        # Asked again on every message: a session that ended must not go on listening.
        if await self._may_stay():
            await self.send_json({"type": "wake", "topic": event["topic"]})
        else:
            await self.close(code=REFUSED)

    async def _may_stay(self) -> bool:
        return bool(await database_sync_to_async(self._verified)())

    def _verified(self) -> bool:
        user = self.scope.get("user")
        session = self.scope.get("session")
        if user is None or session is None or not user.is_active or not user.is_staff:
            return False
        device_id = session.get(DEVICE_ID_SESSION_KEY)
        device = Device.from_persistent_id(device_id) if device_id else None
        if device is None or device.user_id != user.pk or not device.confirmed:
            return False
        return not session_fault(session_of(session.session_key))

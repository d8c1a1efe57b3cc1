import asyncio

from channels.layers import get_channel_layer


async def test_whoever_stops_listening_stops_at_once():
    """A socket may close at any moment; a layer that loses the cancellation keeps it as a ghost."""
    layer = get_channel_layer()
    for moment in range(25):
        channel = await layer.new_channel()
        listening = asyncio.ensure_future(layer.receive(channel))
        for _ in range(moment):
            await asyncio.sleep(0)
        listening.cancel()
        ended, _ = await asyncio.wait([listening], timeout=3)
        assert ended, f"still there when it was cancelled after {moment} turns of the loop"

"""The gateway in front of a host: who gets which release."""

from functools import cache

from django.conf import settings

from flags.gateway.haproxy import HAProxyGateway, directory
from flags.gateway.inprocess import InProcessGateway
from flags.gateway.protocol import COOKIE, STABLE, Gateway, GatewayDown, Routed, Routing

__all__ = ["COOKIE", "STABLE", "Gateway", "GatewayDown", "Routed", "Routing", "gateway_open"]


def gateway_open() -> Gateway:
    """The configured gateway. One serves one host: the embedded default's."""
    if settings.GATEWAY_ENGINE == "inprocess":
        return _inprocess(settings.GATEWAY_PORT)
    return HAProxyGateway(directory(settings), settings.GATEWAY_PORT)


@cache
def _inprocess(port: int) -> InProcessGateway:
    gateway = InProcessGateway(port)
    gateway.start()
    return gateway

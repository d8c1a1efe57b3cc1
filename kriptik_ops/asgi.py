"""The ASGI application: HTTP to Django, sockets to the consumers."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kriptik_ops.settings")
django_application = get_asgi_application()

# Consumers import models, so they can only be imported once Django is set up by the call above.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import path  # noqa: E402

from console.consumers import ConsoleConsumer  # noqa: E402
from incidents.consumers import SdkConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter(
            [
                # Cookie-less: the key and the origin are judged by the consumer against its host's list.
                path("sdk/v1/socket", SdkConsumer.as_asgi()),  # type: ignore[arg-type, list-item]
                # With a cookie: Channels checks no origin by itself, so the validator must stand outside.
                path(  # type: ignore[list-item]
                    "console/socket",
                    AllowedHostsOriginValidator(AuthMiddlewareStack(ConsoleConsumer.as_asgi())),
                ),
            ]
        ),
    }
)

from django.apps import AppConfig


class CompositionConfig(AppConfig):
    """The composition root as an app: system checks, and the commands that run everything."""

    name = "kriptik_ops"
    label = "kriptik_ops"

    def ready(self) -> None:
        from kriptik_ops import checks  # noqa: F401 (registers the checks)

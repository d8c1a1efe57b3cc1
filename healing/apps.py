from django.apps import AppConfig


class HealingConfig(AppConfig):
    name = "healing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from healing import receivers  # noqa: F401 (connects the signals; models must be loaded first)

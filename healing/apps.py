from django.apps import AppConfig


class HealingConfig(AppConfig):
    name = "healing"
    default_auto_field = "django.db.models.BigAutoField"

"""Everything Forge reads from its environment, read once."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    data: Path
    public_url: str
    model_url: str
    model_key: str
    payments_url: str
    payments_key: str
    https: bool
    kriptik_url: str
    kriptik_key: str

    @property
    def database(self) -> Path:
        return self.data / "forge.db"


def config_from_env(port: int) -> Config:
    """Defaults fit a fresh clone on one machine; `port` is where this process listens."""
    env = os.environ
    return Config(
        data=Path(env.get("FORGE_DATA") or "data"),
        public_url=env.get("FORGE_PUBLIC_URL") or f"http://127.0.0.1:{port}",
        model_url=env.get("FORGE_MODEL_URL") or "http://127.0.0.1:8701",
        model_key=env.get("FORGE_MODEL_KEY") or "forge",
        payments_url=env.get("FORGE_PAYMENTS_URL") or "http://127.0.0.1:8702",
        payments_key=env.get("FORGE_PAYMENTS_KEY") or "forge",
        https=env.get("FORGE_HTTPS") == "1",
        kriptik_url=(env.get("KRIPTIK_URL") or "").rstrip("/"),
        kriptik_key=env.get("KRIPTIK_KEY") or "",
    )

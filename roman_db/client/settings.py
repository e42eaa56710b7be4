"""Where the catalog is and who asks, unless a program says it."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClientSettings(BaseSettings):
    """Settings of `roman_db.client`; notebook servers of the hub get both."""

    model_config = SettingsConfigDict(
        env_prefix="ROMAN_TAP_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    url: str = Field(
        default="http://127.0.0.1:8080/tap",
        description="Address of TAP that `roman_db.client` asks, as `roman-db serve` prints it.",
    )
    token: SecretStr | None = Field(
        default=None, description="Token of your account; without it `roman_db.client` asks as anybody."
    )

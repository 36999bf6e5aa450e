"""What is taken and given."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class Measurement(BaseModel):
    station: str = Field(pattern=r"^[a-z]+$")
    celsius: float = Field(ge=-90, le=60)
    sky: Literal["clear", "cloudy", "rain"] = "clear"
    at: datetime

"""The parcels, in memory."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Parcel:
    number: int
    to: str
    grams: int


PARCELS = [Parcel(1, "Kyōto", 900), Parcel(2, "Málaga", 1200), Parcel(3, "Ålesund", 450)]


def find(number: int) -> Parcel | None:
    return next((parcel for parcel in PARCELS if parcel.number == number), None)


def rows() -> list[dict[str, object]]:
    return [asdict(parcel) for parcel in PARCELS]

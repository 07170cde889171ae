"""Numbers as people read them."""

from __future__ import annotations


def count(number: float) -> str:
    """12,345."""
    return f"{number:,.0f}"


def size(number: float) -> str:
    """Bytes in powers of ten: 874 B, 1.2 kB, 5.0 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number) < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def duration(seconds: float) -> str:
    """0.4 s, 12 s, 3 min 20 s, 2 h 05 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def plural(number: int, word: str) -> str:
    """1 record, 2 records."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"

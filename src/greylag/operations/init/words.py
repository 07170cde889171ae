"""Names made from names: what two words have in common, and what greylag.yaml and DynamoDB take as a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

_SERVICE = re.compile(r"[-_]?(?:service|svc|api|app|server|backend|worker)$", re.IGNORECASE)


def singular(word: str) -> str:
    """`user` of `Users`, `category` of `categories`: what two names of one thing have in common."""
    folded = re.sub(r"[^a-z0-9]", "", word.casefold())
    if folded.endswith("ies") and len(folded) > 4:
        return folded[:-3] + "y"
    if re.search(r"(?:ss|sh|ch|x|z)es$", folded):
        return folded[:-2]
    if folded.endswith("s") and not folded.endswith("ss") and len(folded) > 2:
        return folded[:-1]
    return folded


def bare(service: str) -> str:
    """`users` of `users-service`."""
    return _SERVICE.sub("", service) or service


def name(text: str, *, otherwise: str = "data") -> str:
    """`text` as a name of greylag.yaml: letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_") or otherwise


def table(text: str) -> str:
    """`text` as a table's name.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    """
    return (re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-") or "data").ljust(3, "-")[:255]


def pascal(path: str) -> str:
    """`UserId` of `user_id` and `userId`, `AddressCity` of `address.city`."""
    parts = re.findall(r"[A-Za-z0-9]+", path)
    return "".join(part[:1].upper() + part[1:] for part in parts) or "Field"


def camel(path: str) -> str:
    """`userId` of `user_id`."""
    found = pascal(path)
    return found[:1].lower() + found[1:]


def unused(wanted: str, taken: Container[str]) -> str:
    """`wanted`, with a number behind it where it is taken."""
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"


def line(text: str) -> str:
    """`text` as one line that nothing in it can end: for comments and messages."""
    return "".join(each if each.isprintable() else " " for each in text).strip()

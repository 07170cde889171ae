"""Makes the settings of a thing what they should be; what an emulator does not have is told, never passed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.operations.provision.aws import Unsupported

if TYPE_CHECKING:
    from collections.abc import Collection

    from greylag.operations.provision.makers import Maker, Setting
    from greylag.operations.provision.things import Thing


@dataclass(frozen=True, slots=True)
class Settled:
    """The settings that were changed (or would be), and those that the server does not have."""

    changed: tuple[str, ...]
    refused: tuple[str, ...]


def settle(maker: Maker, thing: Thing, known_refused: Collection[str], *, pretend: bool) -> Settled:
    """Change what differs. `known_refused` are the settings refused before: they are not tried again."""
    changed: list[str] = []
    refused: list[str] = [*known_refused]
    for setting in maker.settings(thing):
        if setting.name in refused:
            continue
        try:
            if setting.read() == setting.wanted:
                continue
            if not pretend:
                _write(setting, maker, thing)
        except Unsupported:
            if maker.is_aws:
                raise
            refused.append(setting.name)
        else:
            changed.append(setting.name)
    return Settled(tuple(changed), tuple(refused))


def _write(setting: Setting, maker: Maker, thing: Thing) -> None:
    """AWS is taken at its word, and may show a setting a minute later; an emulator may forget what it accepts.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """
    setting.write()
    if not maker.is_aws and setting.read() != setting.wanted:
        raise Unsupported(f"{thing.what} {thing.name}: {setting.name} was accepted and is not there")

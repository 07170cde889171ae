"""`greylag seed`: sample data for the flows of a project, from what its sources or an assessment say."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from bson import json_util

from greylag.core.profile import DatasetProfile, FieldProfile, Fitness, KeyCandidate, Sizes
from greylag.engine.disk import writing
from greylag.errors import ConfigurationError, ConnectorError
from greylag.operations.assess.assess import AssessOptions, look
from greylag.operations.assess.target import DYNAMODB
from greylag.recovery.seeding import Seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.config import Sources
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor

RECORDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class SeedOptions:
    """What `greylag seed` was asked. `assessment`: what `greylag assess --json` printed, instead of a look at the
    sources; `generator`: a program of the project's own.
    """

    out: Path
    only: tuple[str, ...] = ()
    records: int = RECORDS
    seed: int = 1
    assessment: Path | None = None
    generator: Path | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Seeded:
    """One dataset: its file, how many records, in JSON or extended JSON, and the first of them."""

    source: str
    file: str
    records: int
    form: str
    first: str


def seed(
    sources: Sources, options: SeedOptions, *, executor: Executor, observe: Callable[[Snapshot], None]
) -> tuple[Seeded, ...]:
    """Make sample records of each dataset, one file each. The same options give the same bytes while the profiles are
    the same. Raises ConfigurationError where a file is in the way.
    """
    if options.generator is not None:
        return _generated(options)
    profiles = (
        _assessed(options.assessment, options.only)
        if options.assessment is not None
        else _looked(sources, options, executor, observe)
    )
    found = [_file(source, profile, options) for source, profile in profiles]
    if not options.dry_run:
        _refuse_existing(found)
        for each, (_, profile) in zip(found, profiles, strict=True):
            _write(Path(each.file), profile, options)
    return tuple(found)


def _looked(
    sources: Sources, options: SeedOptions, executor: Executor, observe: Callable[[Snapshot], None]
) -> list[tuple[str, DatasetProfile]]:
    looked = look(sources, AssessOptions(options.only), executor=executor, observe=observe, holds=DYNAMODB)
    found = []
    for each in looked:
        if each.error is not None:
            raise each.error
        if each.profile is not None:
            found.append((str(each.chosen.source), each.profile))
    return found


def _assessed(file: Path, only: Sequence[str]) -> list[tuple[str, DatasetProfile]]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return [
            (each["source"], _profile(each["profile"]))
            for each in document["datasets"]
            if each["profile"] is not None and (not only or {each["source"], *each["flows"]} & set(only))
        ]
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no {file}", advice="`greylag assess --json` prints one."
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{file} is not what `greylag assess --json` prints: {type(error).__name__}",
            advice="Make it anew with `greylag assess --fail-on never --json`.",
        ) from error


def _profile(document: dict[str, Any]) -> DatasetProfile:
    return DatasetProfile(
        **{
            **document,
            "sizes": Sizes(**document["sizes"]),
            "fields": tuple(FieldProfile(**each) for each in document["fields"]),
            "keys": tuple(KeyCandidate(**each) for each in document["keys"]),
            "fitness": Fitness(**document["fitness"]),
        }
    )


def _file(source: str, profile: DatasetProfile, options: SeedOptions) -> Seeded:
    name = f"{quote(source, safe='#')}.jsonl".replace("#", "-")
    form = "extended JSON" if profile.family == "bson" else "JSON"
    first = _line(Seeds(profile, seed=options.seed).record(0), profile)
    return Seeded(source, str(options.out / name), options.records, form, first)


def _write(path: Path, profile: DatasetProfile, options: SeedOptions) -> None:
    seeds = Seeds(profile, seed=options.seed)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            for number in range(options.records):
                file.write(_line(seeds.record(number), profile) + "\n")


def _line(record: dict[str, Any], profile: DatasetProfile) -> str:
    if profile.family == "bson":
        return json_util.dumps(record, json_options=json_util.CANONICAL_JSON_OPTIONS)
    return json.dumps(record, ensure_ascii=False)


def _refuse_existing(found: Sequence[Seeded]) -> None:
    for each in found:
        if Path(each.file).exists():
            raise ConfigurationError(
                f"{each.file} is there already", advice="Name another folder, or remove it."
            )


def _generated(options: SeedOptions) -> tuple[Seeded, ...]:
    """Run the project's own generator, which takes --records, --seed and --out."""
    assert options.generator is not None
    if not options.generator.is_file():
        raise ConfigurationError(f"there is no {options.generator}", advice="Name a program in Python.")
    command = [
        sys.executable if options.generator.suffix == ".py" else str(options.generator),
        *([str(options.generator)] if options.generator.suffix == ".py" else []),
        *("--records", str(options.records), "--seed", str(options.seed), "--out", str(options.out)),
    ]
    if not options.dry_run:
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise ConnectorError(
                f"{options.generator} ended with exit code {done.returncode}: {said[0][:500]}",
                advice="It is called with --records, --seed and --out.",
            )
    return (Seeded(str(options.generator), str(options.out), options.records, "its own", " ".join(command)),)

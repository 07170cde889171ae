"""Docker Compose files: services, their images, environment, volumes, ports and what they depend on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from greylag.core.findings import Finding
from greylag.operations.init import stores
from greylag.operations.init.folder import text_of, unreadable
from greylag.operations.init.settings import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from greylag.operations.init.folder import FoundFile

MAX_BYTES: Final = 1_000_000
_VARIABLE: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_PORT: Final = re.compile(r"[0-9]{1,5}")
_REMOTE: Final = re.compile(r"\w+://|[\w.-]+@[\w.-]+:", re.ASCII)
"""A build context that is a repository elsewhere; its address may hold a password."""
_NAME: Final = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
_REFERENCE: Final = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])|(?=\})))",
    re.ASCII,
)
_BRACE: Final = re.compile(r"\$\{|\}")


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of a service's `environment`: as written, with its place. The value may be secret."""

    value: str | None = field(repr=False)
    place: Place


@dataclass(frozen=True, slots=True)
class ComposeService:
    """One service of one compose file. `build` and `mounts` are paths in the folder that `init` looks at."""

    name: str
    place: Place
    image: str = ""
    build: str | None = None
    environment: Mapping[str, Variable] = field(default_factory=dict)
    env_files: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    ports: Mapping[int, int] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()

    @property
    def store(self) -> str | None:
        """The kind of store it runs; None for a part of the application."""
        return stores.of_image(self.image) if self.build is None else None

    @property
    def own(self) -> bool:
        """Whether it is a part of the application: no store, no tool beside one."""
        return self.build is not None or not (self.store or stores.is_tool(self.image))

    def as_json(self) -> dict[str, Any]:
        """For `--json`: names of variables, no value."""
        return {
            "service": self.name,
            "file": self.place.file,
            "line": self.place.line,
            "image": self.image or None,
            "build": self.build,
            "variables": sorted(self.environment),
            "mounts": list(self.mounts),
            "depends_on": list(self.depends_on),
        }


@dataclass(frozen=True, slots=True)
class ComposeFile:
    """What one file says."""

    name: str | None
    services: tuple[ComposeService, ...]


def is_compose(file: FoundFile) -> bool:
    """Whether its name is one that Docker Compose takes."""
    return _NAME.fullmatch(PurePosixPath(file.name).name) is not None


def read_compose(file: FoundFile) -> ComposeFile | Finding:
    """What `file` says, or why it says nothing."""
    text = text_of(file, limit_bytes=MAX_BYTES)
    if isinstance(text, Finding):
        return text
    try:
        yaml = YAML(typ="rt", pure=True)
        yaml.allow_duplicate_keys = True
        document = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return unreadable(file, "is not YAML that can be read", line=mark.line + 1 if mark else 0)
    except (YAMLError, ValueError, RecursionError, TypeError, AttributeError, NotImplementedError):
        return unreadable(file, "is not YAML that can be read")
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        return unreadable(file, "has no `services:`")
    folder = PurePosixPath(file.name).parent
    name = document.get("name")
    return ComposeFile(
        name if isinstance(name, str) else None,
        tuple(_service(str(key), body, services, file.name, folder) for key, body in services.items()),
    )


@dataclass(frozen=True, slots=True)
class _Reference:
    """`${name:-other}`: what stands behind the name says `how` (empty: nothing does) it is filled in."""

    name: str
    how: str = ""
    other: str = ""


def variable_of(value: str) -> str:
    """The variable that all of a value of a compose file is a reference to; empty where it is something else."""
    match _parts(value):
        case [_Reference(name)]:
            return name
    return ""


def interpolate(value: str, variables: Mapping[str, str]) -> str | None:
    """`value` as Compose fills it in from `variables`; None where one without default is not among them."""
    filled = []
    for part in _parts(value):
        text = part if isinstance(part, str) else _filled(part, variables)
        if text is None:
            return None
        filled.append(text)
    return "".join(filled)


def _filled(reference: _Reference, variables: Mapping[str, str]) -> str | None:
    found, how = variables.get(reference.name), reference.how
    if how.endswith("+"):
        return interpolate(reference.other, variables) if found else ""
    if how.endswith("-") and (found is None or (how == ":-" and not found)):
        return interpolate(reference.other, variables)
    return found


def _parts(value: str) -> list[str | _Reference]:
    """The text and the references of `value`, in turn. References may stand in what another falls back to.

    Source: https://docs.docker.com/reference/compose-file/interpolation/
    """
    parts: list[str | _Reference] = []
    place = 0
    while match := _REFERENCE.search(value, place):
        end = match.end()
        name, how, other = match["name"] or match["plain"], match["how"] or "", ""
        if match["name"]:
            close = _closing(value, end)
            if close is None:
                break  # Compose would refuse it
            other, end = value[end:close], close + 1
        parts.append(value[place : match.start()])
        parts.append("$" if match["dollar"] else _Reference(name, how, other))
        place = end
    parts.append(value[place:])
    return [each for each in parts if each]


def _closing(value: str, place: int) -> int | None:
    """Where the brace closes that is open at `place`."""
    depth = 1
    for match in _BRACE.finditer(value, place):
        depth += 1 if match[0] == "${" else -1
        if not depth:
            return match.start()
    return None


def _service(name: str, body: Any, services: Any, file: str, folder: PurePosixPath) -> ComposeService:
    place = Place(file, _line(services, name))
    if not isinstance(body, dict):
        return ComposeService(name, place)
    return ComposeService(
        name,
        place,
        _image(body.get("image")),
        _build(body.get("build"), folder),
        dict(_environment(body.get("environment"), place)),
        tuple(_inside(each, folder) for each in _env_files(body.get("env_file"))),
        tuple(_mounts(body.get("volumes"), folder)),
        dict(_ports(body.get("ports"))),
        tuple(_depends_on(body.get("depends_on"))),
    )


def _text(value: Any) -> str:
    """A scalar as text. Of anything else nothing: aliases can make it larger than memory."""
    return str(value) if isinstance(value, str | int | float) else ""


def _line(mapping: Any, key: str) -> int:
    try:
        return int(mapping.lc.key(key)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return 0


def _image(image: Any) -> str:
    """The image's name, which is shown: without what stands behind it by mistake, or before an @ that is no digest."""
    words = image.split() if isinstance(image, str) else ()
    return re.sub(r".*@(?!sha\d+:)", "", words[0]) if words else ""


def _build(build: Any, folder: PurePosixPath) -> str | None:
    context = build.get("context", ".") if isinstance(build, dict) else build
    if not isinstance(context, str) or _REMOTE.match(context):
        return None
    return _inside(context, folder)


def _depends_on(written: Any) -> Iterator[str]:
    for each in written if isinstance(written, list | dict) else ():
        if isinstance(each, str):
            yield each


def _environment(environment: Any, place: Place) -> Iterator[tuple[str, Variable]]:
    if isinstance(environment, dict):
        for name, value in environment.items():
            if not _is_variable(name):
                continue
            line = _line(environment, name) or place.line
            yield name, Variable(None if value is None else _text(value), Place(place.file, line))
    elif isinstance(environment, list):
        for position, each in enumerate(environment):
            if isinstance(each, str):
                name, equals, value = each.partition("=")
                if not _is_variable(name):
                    continue
                line = _item_line(environment, position) or place.line
                yield name, Variable(value if equals else None, Place(place.file, line))


def _is_variable(name: Any) -> bool:
    """Whether it can be one's name. `- NAME: secret` for `- NAME=secret` is none, and may not be shown."""
    return isinstance(name, str) and _VARIABLE.fullmatch(name) is not None


def _item_line(sequence: Any, position: int) -> int:
    try:
        return int(sequence.lc.item(position)[0]) + 1
    except (AttributeError, KeyError, TypeError, IndexError):
        return 0


def _env_files(written: Any) -> Iterator[str]:
    for each in written if isinstance(written, list) else [written]:
        path = each.get("path") if isinstance(each, dict) else each
        if isinstance(path, str):
            yield path


def _mounts(volumes: Any, folder: PurePosixPath) -> Iterator[str]:
    for each in volumes if isinstance(volumes, list) else ():
        source = each.get("source") if isinstance(each, dict) else _text(each).partition(":")[0]
        if isinstance(source, str) and source.startswith("."):
            yield _inside(source, folder)


def _ports(ports: Any) -> Iterator[tuple[int, int]]:
    """Ports inside the container, each with the one it is published at."""
    for each in ports if isinstance(ports, list) else ():
        if isinstance(each, dict):
            published, target = _text(each.get("published")), _text(each.get("target"))
        else:
            *before, target = _text(each).partition("/")[0].split(":")
            published = before[-1] if before else ""
        if _is_port(published) and _is_port(target):
            yield int(target), int(published)


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and 0 < int(text) < 65536


def _inside(path: str, folder: PurePosixPath) -> str:
    """`path`, which stands in a compose file in `folder`, as a path in the whole folder."""
    parts: list[str] = []
    for part in (folder / path).parts:
        if part == ".." and parts:
            parts.pop()
        elif part not in {".", ".."}:
            parts.append(part)
    return "/".join(parts) or "."

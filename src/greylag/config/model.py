"""The shape of greylag.yaml: every key it may hold, and what the key means.

`greylag schema` prints these descriptions, so they are written for users.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

RESERVED = frozenset({"run", "api", "cache", "queue", "traffic", "budget"})
"""Keys of a service that later versions give a meaning to."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:\d+[smhdw])+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a name: letters, digits, - and _ make one, and a letter or digit begins it"
        )
    return text


def duration_seconds(text: str) -> int:
    """The seconds in `30d` or `1h30m`. Raises ValueError for anything else."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: write a whole number and s, m, h, d or w, such as 30d")
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", text))


def _duration(text: str) -> str:
    duration_seconds(text)
    return text


def _python(value: Any) -> Any:
    return {"function": value} if isinstance(value, str) else value


def _ttl(value: Any) -> Any:
    return {"attribute": value} if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, StringConstraints(min_length=1)]
Duration = Annotated[str, AfterValidator(_duration)]
Templates = dict[Text, Any]


class Section(BaseModel):
    """A mapping of greylag.yaml whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Python(Section):
    """A function of the project's own, for what no other key of a flow can say."""

    function: Text = Field(
        description='"module:function" in the project\'s folder: a record to a record or a list.'
    )
    inverse: Text | None = Field(None, description='"module:function" that gives the record back.')


class Ttl(Section):
    """The attribute by which the target lets items expire."""

    attribute: Text = Field(description="The attribute that gets the time, in epoch seconds.")
    from_: Text | None = Field(
        None,
        alias="from",
        description="The date it is computed from; without it, the field named like the attribute.",
    )
    after: Duration | None = Field(
        None, description="How long after that date: a number and s, m, h, d or w: 30d."
    )


class Split(Section):
    """How the elements of an embedded array become child items."""

    attributes: Templates = Field(
        {}, description="Attributes of a child: templates that see the element's fields."
    )
    key: Templates = Field(
        {}, description="Templates of the table's key attributes, where the flow declares a key."
    )
    indexes: dict[Text, Templates] = Field({}, description="Templates of index attributes, by index.")
    rename: dict[Text, Text] = Field({}, description="New names of the element's fields, by their names.")
    drop: tuple[Text, ...] = Field((), description="Fields of the element that are not carried.")
    types: dict[Text, Text] = Field({}, description="Types of the element's fields.")


class Flow(Section):
    """One dataset's way from a source to a target."""

    from_: Text = Field(
        alias="from", description="Source: connection.dataset, or connection.* for every dataset."
    )
    to: Text = Field(
        description="Target: connection.table, or connection.* for tables of the datasets' names."
    )
    except_: tuple[Text, ...] = Field(
        (), alias="except", description="Datasets that `from: connection.*` leaves out."
    )
    attributes: Templates = Field({}, description="Templates and constants, by the attribute they fill.")
    key: Templates = Field(
        {},
        description="Declares a table of this flow's own: the partition key's template, then the sort key's.",
    )
    indexes: dict[Text, Templates] = Field(
        {}, description="Indexes of that table: by name, the templates of the partition key and the sort key."
    )
    where: dict[Text, Any] = Field({}, description="Carries only the records that match.")
    rename: dict[Text, Text] = Field({}, description="New names of fields, by their names in the source.")
    drop: tuple[Text, ...] = Field((), description="Fields that are not carried; no other field disappears.")
    types: dict[Text, Text] = Field({}, description="Types of fields, by path: what a value is carried as.")
    ttl: Annotated[Ttl | None, BeforeValidator(_ttl, json_schema_input_type=str | Ttl)] = Field(
        None, description="When items expire: a date field, or attribute, from and after."
    )
    split: dict[Text, Split] = Field(
        {}, description="Embedded arrays whose elements become child items, by path."
    )
    python: Annotated[Python | None, BeforeValidator(_python, json_schema_input_type=str | Python)] = Field(
        None, description='A function of the project\'s own: "module:function", or function and inverse.'
    )
    order: Literal["keep"] | None = Field(
        None, description="keep: the order of each document's fields is kept."
    )
    numbers: Literal["quarantine", "string"] = Field(
        "quarantine", description="What happens to numbers the target has no exact form for."
    )


class Table(Section):
    """A target table that several flows share."""

    in_: Name = Field(alias="in", description="The connection the table is in.")
    key: Annotated[tuple[Text, ...], Field(min_length=1, max_length=2)] = Field(
        description="The partition key's attribute, then the sort key's if there is one."
    )
    indexes: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1, max_length=2)]] = Field(
        {}, description="By index name, the attributes of its partition key and sort key."
    )


class Service(Section):
    """The flows that cut over together."""

    flows: dict[Name, Flow] = Field({}, description="The flows by name; a name is unique in the file.")


class ProjectFile(Section):
    """greylag.yaml: where an application's data is, and where it goes."""

    project: Name = Field(description="The project's name.")
    connections: dict[Name, dict[str, Any]] = Field(description="Sources and targets, by the name flows use.")
    tables: dict[Text, Table] = Field({}, description="Tables that several flows write, by name.")
    services: dict[Name, Service] = Field(description="Services by name.")

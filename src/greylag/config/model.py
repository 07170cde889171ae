"""The shape of greylag.yaml: every key it may hold, and what the key means.

`greylag schema` prints these descriptions, so they are written for users.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from greylag.config.infrastructure import Api, Assets, Cache, Infrastructure, Queue, Run
from greylag.config.section import Duration, Name, Section, Templates, Text
from greylag.config.traffic import Budget, Traffic
from greylag.core.change import SPOOL_BYTES


def _python(value: Any) -> Any:
    return {"function": value} if isinstance(value, str) else value


def _cache(value: Any) -> Any:
    return {"engine": value} if isinstance(value, str) else value


def _budget(value: Any) -> Any:
    return value if value is None or isinstance(value, dict) else {"monthly_usd": value}


def _ttl(value: Any) -> Any:
    return {"attribute": value} if isinstance(value, str) else value


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
    key_types: dict[Text, Literal["S", "N", "B"]] = Field(
        {}, description="Types of key and index attributes that no template decides: S, N or B."
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
    key_types: dict[Text, Literal["S", "N", "B"]] = Field(
        {}, description="Types of key and index attributes that no template decides: S, N or B."
    )
    ttl: Text | None = Field(None, description="The attribute items expire by, in epoch seconds.")


class Service(Section):
    """The flows that cut over together, and how what serves them runs on AWS."""

    flows: dict[Name, Flow] = Field({}, description="The flows by name; a name is unique in the file.")
    run: Run | None = Field(None, description="The program: a Lambda function or a container.")
    api: Api | None = Field(None, description="How clients reach it.")
    cache: Annotated[Cache | None, BeforeValidator(_cache, json_schema_input_type=str | Cache)] = Field(
        None, description="A cache of its own: its engine, or a mapping."
    )
    queue: Queue | None = Field(None, description="A queue of its own, which `run` consumes.")
    assets: Assets | None = Field(None, description="A bucket of its own for files.")
    traffic: Traffic | None = Field(
        None, description="What it is asked to do: what `greylag cost` reckons with."
    )
    budget: Annotated[Budget | None, BeforeValidator(_budget, json_schema_input_type=float | Budget)] = Field(
        None, description="What it may cost: US dollars a month, or a mapping."
    )


class ProjectFile(Section):
    """greylag.yaml: where an application's data is, and where it goes."""

    project: Name = Field(description="The project's name.")
    connections: dict[Name, dict[str, Any]] = Field(description="Sources and targets, by the name flows use.")
    tables: dict[Text, Table] = Field({}, description="Tables that several flows write, by name.")
    services: dict[Name, Service] = Field(description="Services by name.")
    spool_bytes: int = Field(
        SPOOL_BYTES,
        ge=2**20,
        description="The most that changes which are not applied yet may take on this disk, for each source that is "
        "followed; then reading waits, and the source's own history holds what is to come.",
    )
    infrastructure: Infrastructure | None = Field(
        None, description="What all services share on AWS: region, network, databases, alarms."
    )

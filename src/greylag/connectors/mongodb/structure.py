"""A collection's options and indexes as the server says them, in canonical extended JSON and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pymongo.errors
from bson import json_util

from greylag.connectors.mongodb.inventory import index_of
from greylag.core.structure import IndexDefinition, Structure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.connectors.mongodb.find import Documents
    from greylag.connectors.mongodb.server import Server

FORM: Final = "mongodb"
_NOT_CARRIED: Final = frozenset({"v", "ns", "background", "2dsphereIndexVersion", "textIndexVersion"})
"""What a server says of its own making of an index; MongoDB and DocumentDB number that differently."""
_BUILDING: Final = "Index Build"


def structure_of(info: Mapping[str, Any], collection: Documents) -> Structure:
    """The structure of a collection, of which `listCollections` says `info`."""
    definitions = (each for each in collection.list_indexes() if each["name"] != "_id_")
    return Structure(
        FORM,
        extended(info.get("options", {})),
        tuple(IndexDefinition(index_of(each), extended(_kept(each))) for each in definitions),
    )


def _kept(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in definition.items() if name not in _NOT_CARRIED}


def definitions_of(collection: Documents) -> dict[str, Mapping[str, Any]]:
    """The definitions of its indexes by name, but for that of `_id`."""
    return {
        each["name"]: extended(_kept(each)) for each in collection.list_indexes() if each["name"] != "_id_"
    }


def extended(said: Mapping[str, Any]) -> dict[str, Any]:
    """As canonical extended JSON: every type stays what it is."""
    found: dict[str, Any] = json.loads(json_util.dumps(said, json_options=json_util.CANONICAL_JSON_OPTIONS))
    return found


def as_said(content: Mapping[str, Any]) -> dict[str, Any]:
    """What `extended` made it of."""
    found: dict[str, Any] = json_util.loads(
        json.dumps(content), json_options=json_util.CANONICAL_JSON_OPTIONS
    )
    return found


def progress_of(server: Server, table: str) -> dict[str, float]:
    """How far each index that is being built is; nothing where the user may not ask."""
    namespace = f"{server.address.database}.{table}"
    try:
        told = server.client.admin.command(
            {"currentOp": True, "ns": namespace, "msg": {"$regex": f"^{_BUILDING}"}}
        )
    except pymongo.errors.PyMongoError:
        return {}
    found = {}
    for each in told.get("inprog", ()):
        names = [one.get("name") for one in each.get("command", {}).get("indexes", ())]
        progress = each.get("progress") or {}
        if progress.get("total"):
            share = min(1.0, progress.get("done", 0) / progress["total"])
            found.update({name: share for name in names if name})
    return found

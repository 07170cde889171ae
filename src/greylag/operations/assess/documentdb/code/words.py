"""Names of calls and types by which what a string is good for can be told."""

from __future__ import annotations

from typing import Final


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


TAKES_FIELDS: Final = _words(
    "group bucket bucketAuto sortByCount unwind replaceRoot replaceWith count sum avg min max first",
    "last push addToSet stdDevPop stdDevSamp project Group Unwind SortByCount ReplaceRoot ReplaceWith",
    "graphLookup geoNear",
)
"""Calls whose first argument is a field's path."""

SPEAKS: Final = _words(
    "print println printf fprintf sprintf format log debug info warn warning error fatal trace write",
    "puts echo replace replaceAll replace_all Replace startsWith startswith start_with HasPrefix split",
    "Split equals includes contains indexOf getattr strtr str_replace translate Printf Println Errorf",
    "Sprintf assertEqual assertEquals expect t gettext ReplaceAll gsub sub",
)
"""Calls that show or change text: what they get is no document."""

ASKS: Final = _words(
    "get getOrDefault getOrElse pop remove delete discard has contains_key containsKey fetch dig key?",
    "Expand expandvars removeField containsEntry hasEntry",
)
"""Calls that look for a name, or take it away."""

SAYS: Final = _words(
    "print println printf Printf Println Fprintf Fprintln Errorf Fatalf Fatal Panic panic log debug",
    "info warn warning error fatal exception puts echo raise fail abort die trigger_error",
)
"""Calls whose text is for people, also where it looks like a document."""

STAGES: Final = _words(
    "$addFields $bucket $bucketAuto $changeStream $collStats $count $currentOp $densify $documents",
    "$facet $fill $geoNear $graphLookup $group $indexStats $limit $listSessions $lookup $match $merge",
    "$out $planCacheStats $project $redact $rankFusion $replaceRoot $replaceWith $sample $scoreFusion",
    "$search $searchMeta $set $setWindowFields $skip $sort $sortByCount $unionWith $unset $unwind",
    "$vectorSearch",
)
"""What a document of a pipeline may begin with."""

OF_QUERY_STRINGS: Final = _words("$select $orderby $order $expand $skiptoken $format")
"""Names of OData and Socrata, which MongoDB does not have."""

PLAIN_TYPES_OF_GO: Final = _words("string bool int byte any")
TYPES_OF_TYPESCRIPT: Final = _words(
    "string number boolean any unknown never object symbol bigint Date Function RegExp"
)

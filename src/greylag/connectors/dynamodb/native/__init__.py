"""Carries BSON documents to DynamoDB JSON undecoded, and declines whatever is not sure to come out as the codec would
write it.

Where carry.c is compiled, it does all of it: `library` finds it, `program` tells it of the flow, `compiled` calls it.

Elsewhere, in half the time that decoding takes: collections hold many documents of few shapes. `shape` makes of one
document a regular expression that takes apart every document with the same fields of the same types, and `layout` the
text around their values in the item. `values` has what each type's bytes become. `transcoder` puts items together.
"""

from greylag.connectors.dynamodb.native.compiled import Compiled
from greylag.connectors.dynamodb.native.program import program_of
from greylag.connectors.dynamodb.native.transcoder import Transcoder

__all__ = ["Compiled", "Transcoder", "program_of"]

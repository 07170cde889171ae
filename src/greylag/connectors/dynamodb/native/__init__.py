"""Carries BSON documents to DynamoDB JSON undecoded, where their shape is known, in half the time.

Collections hold many documents of few shapes. `shape` makes of one document a regular expression that takes apart
every document with the same fields of the same types, and the text around their values in the item. `values` has what
each type's bytes become. `transcoder` puts items together, and declines whatever is not sure to come out as the codec
would write it.
"""

from greylag.connectors.dynamodb.native.transcoder import Transcoder

__all__ = ["Transcoder"]

"""Kind `dynamodb`: Amazon DynamoDB as a target.

`codec` writes items and reads them back (`restore` tells how each value stands in an item), `writer` sends them
over connections of its own (`wire`, `sign`), `reader` scans them for verification, `schema` knows the tables, `streams`
follows their changes.
"""

from greylag.connectors.dynamodb.connector import DynamoDBConnectorType
from greylag.connectors.dynamodb.options import DynamoDBOptions

connector = DynamoDBConnectorType()

__all__ = ["DynamoDBOptions", "connector"]

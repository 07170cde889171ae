"""DynamoDB's limits, as its documentation states them. Emulators are lenient, so Greylag keeps them itself."""

from __future__ import annotations

from typing import Final

NUMBER_DIGITS: Final = 38
"""Significant digits of a number.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

NUMBER_SMALLEST_EXPONENT: Final = -130
NUMBER_LARGEST_EXPONENT: Final = 125
"""Of the first digit: magnitudes reach from 1E-130 to 9.9999999999999999999999999999999999999E+125.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

NESTING_LEVELS: Final = 32
"""A top-level attribute is level 1; a list or map, an empty one too, needs a level below its own.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

ITEM_BYTES: Final = 400 * 1024
"""Names and values of an item, as `size` counts them.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

PARTITION_KEY_BYTES: Final = 2048
SORT_KEY_BYTES: Final = 1024
"""Of a table or index.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

NAME_BYTES: Final = 65_535
"""Of an attribute's name. Key attributes' names are shorter, which DynamoDB checks when a table is created.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

BATCH_WRITE_ITEMS: Final = 25
BATCH_WRITE_BYTES: Final = 16 * 1024 * 1024
"""Put and delete requests in a BatchWriteItem, and the bytes of its body.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

BATCH_GET_KEYS: Final = 100
"""Keys in a BatchGetItem.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
"""

SCAN_SEGMENTS: Final = 1_000_000
"""Segments of a parallel Scan.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
"""

WRITE_UNIT_BYTES: Final = 1024
"""A write unit writes an item of up to so many bytes.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

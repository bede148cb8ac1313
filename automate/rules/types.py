"""Types as they are known before a rule is evaluated."""

from enum import StrEnum

from automate.rules.values import Duration, Timestamp, TypeName, UInt


class Type(StrEnum):
    """What kind of value an expression has; `DYN` where only the evaluation tells."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    DOUBLE = "double"
    STRING = "string"
    BYTES = "bytes"
    NULL = "null"
    LIST = "list"
    MAP = "map"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    TYPE = "type"
    DYN = "dyn"


OF_PYTHON: dict[type, Type] = {
    bool: Type.BOOL,
    int: Type.INT,
    UInt: Type.UINT,
    float: Type.DOUBLE,
    str: Type.STRING,
    bytes: Type.BYTES,
    type(None): Type.NULL,
    list: Type.LIST,
    dict: Type.MAP,
    Timestamp: Type.TIMESTAMP,
    Duration: Type.DURATION,
    TypeName: Type.TYPE,
}
"""The static type of each type of values."""

"""Hyper-parameters that several rules share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from truing.parameters import Doc

Column = Annotated[
    str,
    Field(min_length=1),
    Doc(
        "column of the records that holds the reference",
        "a column of the data; records without a value are masked",
    ),
]

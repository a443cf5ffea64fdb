"""How a field of a pydantic model gets its value here: one function reads the text, whatever the type beside it."""

from collections.abc import Callable

from pydantic import GetCoreSchemaHandler
from pydantic_core.core_schema import PlainValidatorFunctionSchema, no_info_plain_validator_function


class Parsed:
    """Stands behind a type in `Annotated`; `parse` returns the value, or raises `ValueError` with what is wrong.

    As pydantic's `PlainValidator`, but that one also works out how the type would be written, which nobody asks for
    and which takes more than half of the time that reading the settings takes.
    """

    def __init__(self, parse: Callable[[str], object]) -> None:
        self._parse = parse

    def __get_pydantic_core_schema__(
        self, _type: object, _handler: GetCoreSchemaHandler
    ) -> PlainValidatorFunctionSchema:
        """Tell pydantic (its documentation: "Custom types")."""
        return no_info_plain_validator_function(self._parse)

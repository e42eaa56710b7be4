"""ADQL 2.1 to SQL: pure functions, without a database.

`translate` makes of a text and a `Catalog` a `Translation`, or raises `AdqlError`, which knows the place.
The stages stand in files of their own: ``lexer``, ``expression_grammar`` and ``query_grammar`` (text to
tree), ``scope`` (names), ``expression``, ``predicate``, ``functions``, ``geometry``, ``sky_predicate``
(values), ``from_clause``, ``selection``, ``grouping``, ``ordering``, ``query`` (queries).
"""

from roman_db.schema.adql_words import delimited
from roman_db.tap.adql.catalog import UPLOAD_SCHEMA, Catalog, CatalogColumn, CatalogTable
from roman_db.tap.adql.error import AdqlError
from roman_db.tap.adql.schema_catalog import schema_catalog, table_of
from roman_db.tap.adql.translation import OutputColumn, Translation, translate
from roman_db.tap.adql.user_functions import USER_FUNCTIONS, UserFunction
from roman_db.tap.adql.value_type import Type

__all__ = [
    "UPLOAD_SCHEMA",
    "USER_FUNCTIONS",
    "AdqlError",
    "Catalog",
    "CatalogColumn",
    "CatalogTable",
    "OutputColumn",
    "Translation",
    "Type",
    "UserFunction",
    "delimited",
    "schema_catalog",
    "table_of",
    "translate",
]

"""What SQL does, by PostgreSQL's own parser (libpg_query), which knows nothing of the translator."""

from __future__ import annotations

from pglast import ast, parse_sql
from pglast.visitors import Visitor

RELATIONS = {"sky.star", "sky.measure", "sky.one", "sky.upload_17"}
FUNCTIONS = {
    "abs", "atan", "atan2", "avg", "cardinality", "ceil", "cos", "cot", "count", "degrees", "floor",
    "lower", "max", "min",
    "mod", "pi", "q3c_join", "q3c_poly_query", "q3c_radial_query", "radians", "random", "sin", "string_agg",
    "sum", "tan",
    "upper", "pg_catalog.like_escape", "roman.ab_magnitude", "pg_catalog.ilike_escape",
}  # fmt: skip
TYPES = {
    "float8",
    "float4",
    "int2",
    "int4",
    "int8",
    "bpchar",
    "varchar",
    "text",
    "timestamptz",
    "int8multirange",
    "bool",
    "char",
    "numeric",
}
#: Nodes of the parser that a SELECT of ours is made of; all others are refused.
NODES = (
    ast.RawStmt, ast.SelectStmt, ast.ResTarget, ast.ColumnRef, ast.RangeVar, ast.RangeSubselect, ast.JoinExpr,
    ast.A_Expr, ast.A_Const, ast.BoolExpr, ast.NullTest, ast.SubLink, ast.FuncCall, ast.TypeCast,
    ast.TypeName,
    ast.CaseExpr, ast.CaseWhen, ast.CoalesceExpr, ast.MinMaxExpr, ast.A_ArrayExpr, ast.A_Indirection,
    ast.A_Indices,
    ast.SortBy, ast.WithClause, ast.CommonTableExpr, ast.Alias, ast.String, ast.Integer, ast.Float,
    ast.Boolean,
    ast.BooleanTest,
)  # fmt: skip


class Inspector(Visitor):
    """Collects what a statement names, and what it is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.relations: set[str] = set()
        self.queries: set[str] = set()
        self.functions: set[str] = set()
        self.types: set[str] = set()
        self.strange: list[str] = []

    def visit(self, ancestors, node) -> None:
        if not isinstance(node, NODES):
            self.strange.append(type(node).__name__)
        if isinstance(node, ast.RangeVar):
            self.relations.add(f"{node.schemaname}.{node.relname}" if node.schemaname else node.relname)
        elif isinstance(node, ast.CommonTableExpr):
            self.queries.add(node.ctename)
        elif isinstance(node, ast.FuncCall):
            self.functions.add(".".join(part.sval for part in node.funcname))
        elif isinstance(node, ast.TypeName):
            self.types.add(node.names[-1].sval)
        elif isinstance(node, ast.SelectStmt) and (node.intoClause or node.lockingClause or node.valuesLists):
            self.strange.append("INTO, FOR UPDATE or VALUES")
        elif isinstance(node, ast.WithClause) and node.recursive:
            self.strange.append("WITH RECURSIVE")


def problems(sql: str) -> list[str]:
    """What a statement does beyond reading allowed tables by allowed functions."""
    statements = parse_sql(sql)
    if len(statements) != 1 or not isinstance(statements[0].stmt, ast.SelectStmt):
        return ["not one SELECT"]
    found = Inspector()
    found(statements)
    functions = {name for name in found.functions if not name.startswith("adql.")}
    return [
        *found.strange,
        *(f"relation {name}" for name in found.relations - RELATIONS - found.queries),
        *(f"function {name}" for name in functions - FUNCTIONS),
        *(f"type {name}" for name in found.types - TYPES),
    ]

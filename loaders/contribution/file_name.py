"""Names of contributed files, by the rules of MAST for High-Level Science Products.

``hlsp_proj-id_observatory_instrument_target_opt-elem_version_product-type.extension``: lower case, letters
and digits, hyphens within a field, periods and plus signs in targets and versions, 90 characters at most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MOST = 90
_FIELDS = ("hlsp", "proj-id", "observatory", "instrument", "target", "opt-elem", "version", "product-type")
_PLAIN = r"[a-z][a-z0-9-]*"
_FORMS = {
    "hlsp": "hlsp",
    "proj-id": r"[a-z][a-z0-9-]{0,19}",
    "target": r"[a-z0-9][a-z0-9.+-]*",
    "opt-elem": r"[a-z0-9][a-z0-9-]*",
    "version": r"[a-z0-9][a-z0-9.]{0,8}",
}
EXTENSIONS = ("asdf", "parquet")


@dataclass(frozen=True)
class FileName:
    """Fields of a name that its content must agree with."""

    project: str
    version: str
    extension: str


def parse(name: str) -> tuple[FileName | None, list[str]]:
    """Take a name apart.

    Returns
    -------
    tuple
        Its fields, or None where there are not eight of them; and what is wrong with it.
    """
    reasons = []
    if len(name) > _MOST:
        reasons.append(f"{name}: has {len(name)} characters, and {_MOST} are the most")
    stem, _, extension = name.rpartition(".")
    if extension not in EXTENSIONS:
        reasons.append(f"{name}: ends with {extension!r}, not with .asdf or .parquet")
    fields = stem.split("_")
    if len(fields) != len(_FIELDS):
        form = "_".join(_FIELDS)
        return None, [*reasons, f"{name}: has {len(fields)} fields between underscores, not {form}"]
    for field, value in zip(_FIELDS, fields, strict=True):
        if re.fullmatch(_FORMS.get(field, _PLAIN), value) is None:
            reasons.append(f"{name}: {value!r} will not do as {field}")
    named = dict(zip(_FIELDS, fields, strict=True))
    return FileName(named["proj-id"], named["version"], extension), reasons

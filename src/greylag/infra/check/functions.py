"""Terraform's functions and what they give.

Source: https://developer.hashicorp.com/terraform/language/functions (read 2026-11)
"""

from __future__ import annotations

_BY_RESULT = {
    "string": (
        "abspath base64encode base64gzip base64sha256 base64sha512 basename bcrypt chomp cidrhost cidrnetmask "
        "cidrsubnet dirname file filebase64 filebase64sha256 filebase64sha512 filemd5 filesha1 filesha256 "
        "filesha512 format formatdate indent join jsonencode lower md5 pathexpand plantimestamp regexreplace "
        "replace rsadecrypt sha1 sha256 sha512 strrev substr templatestring textdecodebase64 textencodebase64 "
        "timeadd timestamp title trim trimprefix trimspace trimsuffix upper urlencode uuid uuidv5 yamlencode "
        "base64decode tostring"
    ),
    "number": "abs ceil floor length log parseint pow signum sum timecmp max min tonumber",
    "bool": "alltrue anytrue can contains endswith fileexists issensitive startswith strcontains tobool",
    "list(string)": "split keys formatlist cidrsubnets fileset regexall matchkeys",
    "list(any)": (
        "chunklist concat distinct flatten range reverse setintersection setproduct setsubtract setunion slice "
        "sort compact values csvdecode tolist toset"
    ),
    "map(any)": "merge tomap zipmap transpose",
    "any": (
        "coalesce coalescelist convert defaults element ephemeralasnull index jsondecode lookup nonsensitive one "
        "regex sensitive templatefile try type yamldecode base64gunzip"
    ),
}

RESULTS = {name: result for result, names in _BY_RESULT.items() for name in names.split()}
"""Every function, and the type it gives as far as that does not depend on what it is given."""

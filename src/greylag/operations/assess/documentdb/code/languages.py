"""Families of languages, by how they write comments, strings and names: enough to tell those three apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

PLAIN: Final = "plain"
"""Backslash escapes, a dollar sign is a dollar sign."""
FILLED: Final = "filled"
"""Backslash escapes, `$name` and `${…}` are filled in."""
RAW: Final = "raw"
"""Everything stands for itself."""

_SLASHES: Final = (r"//[^\n]*", r"/\*.*?(?:\*/|\Z)")
_HASH: Final = (r"\#[^\n]*",)
_DOUBLE: Final = r'"(?P<{0}>(?:\\.|[^"\\\n])*)(?:"|(?=\n)|\Z)'
_SINGLE: Final = r"'(?P<{0}>(?:\\.|[^'\\\n])*)(?:'|(?=\n)|\Z)"
_DOUBLE_LONG: Final = r'"(?P<{0}>(?:\\.|[^"\\])*)(?:"|\Z)'
_SINGLE_LONG: Final = r"'(?P<{0}>(?:\\.|[^'\\])*)(?:'|\Z)"
_TRIPLE: Final = r'"""(?P<{0}>(?:\\.|[^\\])*?)(?:"""|\Z)'
_TRIPLE_SINGLE: Final = r"'''(?P<{0}>(?:\\.|[^\\])*?)(?:'''|\Z)"
_RAW_TRIPLE: Final = r'"""(?P<{0}>.*?)(?:"""|\Z)'
_SINGLE_RAW: Final = r"'(?P<{0}>[^']*)(?:'|\Z)"
_BACKTICK: Final = r"`(?P<{0}>[^`]*)(?:`|\Z)"
_CHARACTER: Final = r"'(?P<{0}>\\[^\n']{{1,10}}|[^'\\\n])'"
_HEREDOC: Final = (
    r"<<[-~]?(?P<{0}q>['\"]?)(?P<{0}n>[A-Z_]\w*)(?P={0}q)[^\n]*\n(?P<{0}>.*?)\n[ \t]*(?P={0}n)\b"
)


@dataclass(frozen=True, slots=True)
class Family:
    """`comments` and `strings` are patterns. A string's has a place `{0}` for the name of the group that holds its
    text, and says what its escapes are. `dollar_names`: a name may begin with a dollar sign and be a key as it stands.
    """

    name: str
    comments: tuple[str, ...]
    strings: tuple[tuple[str, str], ...]
    dollar_names: bool = False
    templates: bool = False
    docstrings: bool = False
    keys_without_brackets: bool = False
    opens_with: str = ""


_OF_PYTHON: Final = (_TRIPLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE)
PYTHON: Final = Family(
    "python",
    _HASH,
    (
        *((r"\b(?:[rR][bBfF]?|[bBfF][rR])" + each, RAW) for each in _OF_PYTHON),
        *((r"(?:\b[bBuUfF])?" + each, PLAIN) for each in _OF_PYTHON),
    ),
    docstrings=True,
)
JS: Final = Family("js", _SLASHES, ((_DOUBLE, PLAIN), (_SINGLE, PLAIN)), dollar_names=True, templates=True)
GO: Final = Family("go", _SLASHES, ((_DOUBLE, PLAIN), (_BACKTICK, RAW), (_CHARACTER, PLAIN)))
JAVA: Final = Family("java", _SLASHES, ((_TRIPLE, PLAIN), (_DOUBLE, PLAIN), (_CHARACTER, PLAIN)))
KOTLIN: Final = Family("kotlin", _SLASHES, ((_RAW_TRIPLE, FILLED), (_DOUBLE, FILLED), (_CHARACTER, PLAIN)))
GROOVY: Final = Family(
    "groovy",
    _SLASHES,
    ((_TRIPLE, FILLED), (_TRIPLE_SINGLE, PLAIN), (_DOUBLE, FILLED), (_SINGLE, PLAIN)),
)
SCALA: Final = Family(
    "scala",
    _SLASHES,
    (
        (r"\b[sf]" + _RAW_TRIPLE, FILLED),
        (r"\b[sf]" + _DOUBLE, FILLED),
        (_RAW_TRIPLE, RAW),
        (_DOUBLE, PLAIN),
        (_CHARACTER, PLAIN),
    ),
)
CSHARP: Final = Family(
    "csharp",
    _SLASHES,
    (
        (r'\$?@\$?"(?P<{0}>(?:""|[^"])*)(?:"|\Z)', RAW),
        (r"\$*" + _RAW_TRIPLE, RAW),
        (r"\$?" + _DOUBLE, PLAIN),
        (_CHARACTER, PLAIN),
    ),
)
RUBY: Final = Family(
    "ruby",
    (r"^=begin\b.*?^=end\b[^\n]*", *_HASH),
    ((_HEREDOC, PLAIN), (_DOUBLE_LONG, PLAIN), (_SINGLE_LONG, PLAIN)),
)
PHP: Final = Family(
    "php",
    (*_SLASHES, r"\#(?!\[)[^\n]*"),
    (
        (r"<<<[ \t]*'(?P<{0}n>\w+)'\n(?P<{0}>.*?)\n[ \t]*(?P={0}n)\b", RAW),
        (r"<<<[ \t]*\"?(?P<{0}n>\w+)\"?\n(?P<{0}>.*?)\n[ \t]*(?P={0}n)\b", FILLED),
        (_DOUBLE_LONG, FILLED),
        (_SINGLE_LONG, PLAIN),
    ),
    opens_with="<?",
)
DART: Final = Family(
    "dart",
    _SLASHES,
    (
        (r"\br" + _SINGLE_RAW, RAW),
        (r'\br"(?P<{0}>[^"]*)(?:"|\Z)', RAW),
        (_TRIPLE, FILLED),
        (_TRIPLE_SINGLE, FILLED),
        (_DOUBLE, FILLED),
        (_SINGLE, FILLED),
    ),
)
SHELL: Final = Family(
    "shell",
    (r"(?<![^\s;(])\#[^\n]*",),
    (
        (r"<<-?[ \t]*['\"](?P<{0}n>\w+)['\"][^\n]*\n(?P<{0}>.*?)\n[ \t]*(?P={0}n)\b", RAW),
        (r"<<-?[ \t]*(?P<{0}n>[A-Za-z_]\w*)[^\n]*\n(?P<{0}>.*?)\n[ \t]*(?P={0}n)\b", FILLED),
        (_DOUBLE_LONG, FILLED),
        (_SINGLE_RAW, RAW),
    ),
)
PERL: Final = Family("perl", _HASH, ((_DOUBLE_LONG, FILLED), (_SINGLE_LONG, PLAIN)))
RUST: Final = Family(
    "rust",
    _SLASHES,
    ((r'\br(?P<{0}h>\#*)"(?P<{0}>.*?)"(?P={0}h)', RAW), (_DOUBLE_LONG, PLAIN), (_CHARACTER, PLAIN)),
)
ELIXIR: Final = Family("elixir", _HASH, ((_TRIPLE, PLAIN), (_DOUBLE_LONG, PLAIN), (_SINGLE, PLAIN)))
JSON: Final = Family("json", _SLASHES, ((_DOUBLE, PLAIN),))
YAML: Final = Family(
    "yaml",
    (r"(?<!\S)\#[^\n]*",),
    ((_DOUBLE_LONG, PLAIN), (r"(?<![\w.])'(?P<{0}>(?:''|[^'])*)(?:'|\Z)", RAW)),
    dollar_names=True,
    keys_without_brackets=True,
)
OTHER: Final = Family("other", (*_SLASHES, r"(?<!\S)(?:\#|;;|--)[^\n]*"), ((_DOUBLE_LONG, PLAIN),))

_SUFFIXES: Final = {
    PYTHON: ".py .pyi .pyw",
    JS: ".js .mjs .cjs .jsx .ts .mts .cts .tsx .vue .svelte .mongodb .es6",
    GO: ".go",
    JAVA: ".java",
    KOTLIN: ".kt .kts",
    GROOVY: ".groovy .gradle",
    SCALA: ".scala .sc",
    CSHARP: ".cs .fs .fsx .csx",
    RUBY: ".rb .rake",
    PHP: ".php .phtml .php5 .inc",
    DART: ".dart",
    SHELL: ".sh .bash .zsh .ksh",
    PERL: ".pl .pm",
    RUST: ".rs",
    ELIXIR: ".ex .exs",
    JSON: ".json .ipynb .jsonc",
    YAML: ".yaml .yml",
    OTHER: ".c .h .cc .cpp .hpp .cxx .swift .m .clj .cljs .hs .ml .jl .r .nim .zig .cr .lua .coffee .vb .erl",
}
_BY_SUFFIX: Final = {suffix: family for family, text in _SUFFIXES.items() for suffix in text.split()}


def family_of(name: str) -> Family | None:
    """The family of a file by its name; None for what is no program: documents, Terraform, images."""
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.lower())

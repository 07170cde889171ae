"""What a plan found that a person should know or mend before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.core.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol

    from greylag.config import Project
    from greylag.engine.survey.refusals import Group
    from greylag.operations.plan.plan import FlowPlan, PlanOptions
    from greylag.operations.plan.tables import TablePlan

    class _Make(Protocol):
        def __call__(
            self, severity: Severity, kind: str, message: str, advice: str, name: str = ""
        ) -> Finding: ...


LARGE_BYTES = 350 * 1024
"""An item of more than this may soon pass the 400 KB that DynamoDB allows."""

HOT_UNITS = 10_000
"""Below so many write units on one partition key value nobody waits for it."""

HOT_SHARE = 0.1

_REFUSED = {
    "key-collision": "share a key with others",
    "unfillable-key": "cannot fill a key",
    "unfillable-attribute": "cannot fill an attribute",
    "two-writers": "have an attribute with two writers",
    "oversize": "make items above 400 KB",
    "unfit-key": "make keys that the table cannot have",
    "unfit-value": "hold values that the target cannot hold exactly",
    "unreadable": "cannot be read exactly",
    "other": "are refused for other reasons",
}


def findings_of(
    project: Project,
    flows: Sequence[FlowPlan],
    tables: Sequence[TablePlan],
    options: PlanOptions,
    processes: int,
) -> list[Finding]:
    """All of them, in no order."""
    lines = _Lines(project)
    found = [each for flow in flows for each in _of_flow(flow, lines)]
    found += [each for table in tables for each in _of_table(table)]
    if options.offline:
        found.append(
            Finding(
                Severity.NOTE,
                "offline",
                "targets",
                "no target was asked: every table is taken as missing, new and on demand",
                "Plan again without --offline before a run; a plan made offline is refused by `run --plan`.",
            )
        )
    total = sum(flow.partitions for flow in flows)
    if 0 < total < processes:
        found.append(
            Finding(
                Severity.NOTE,
                "few-partitions",
                "partitions",
                f"the sources are read in {total} part{'s' if total > 1 else ''}: "
                f"{processes - total} of {processes} processes will have nothing to do",
                "A smaller --partition-bytes makes more of them; a compressed file is always one.",
            )
        )
    return found


class _Lines:
    """Where flows stand in greylag.yaml."""

    def __init__(self, project: Project) -> None:
        self.file = str(project.file)
        self._tree = project.tree

    def flow(self, flow: FlowPlan) -> int:
        return self._tree.at("services", flow.service, "flows", flow.name.partition(".")[0]).line


def _of_flow(flow: FlowPlan, lines: _Lines) -> Iterator[Finding]:
    def finding(severity: Severity, kind: str, message: str, advice: str, name: str = "") -> Finding:
        return Finding(severity, kind, name or flow.name, message, advice, lines.file, lines.flow(flow))

    for kind in dict.fromkeys(group.kind for group in flow.refusals):
        groups = [group for group in flow.refusals if group.kind == kind]
        yield finding(Severity.BLOCKER, kind, _refused(flow, groups), groups[0].fix)
    for message in flow.damaged:
        yield finding(
            Severity.BLOCKER,
            "damaged-source",
            message,
            "Mend the file: what lies behind the place was not seen.",
        )
    if not flow.resumable_changes:
        yield finding(
            Severity.WARNING,
            "write-freeze",
            f"{flow.source} keeps no resumable log of changes: this flow moves behind a write freeze",
            "Stop writes to the source before the run and until the application uses the target.",
        )
    else:
        yield finding(
            Severity.NOTE,
            "changes-not-followed",
            f"without --follow, what is written to {flow.source} after the run began is not carried",
            "Freeze writes while it moves, or `greylag verify` and `greylag repair` afterwards.",
        )
    if not flow.proven_keys and not flow.whole:
        yield finding(
            Severity.NOTE,
            "keys-unproven",
            "the templates do not prove that no two records share a key, and a sample cannot",
            "`greylag plan --full` looks at every key; a run does so before it writes.",
        )
    if flow.item_largest > LARGE_BYTES:
        yield finding(
            Severity.WARNING,
            "large-item",
            f"the largest item has {flow.item_largest:,} of the 409,600 bytes that DynamoDB allows",
            "`drop` or `split` a large field before the records grow.",
        )
    yield from _of_fields(flow, finding)
    if flow.losses:
        yield finding(
            Severity.NOTE,
            "not-reversible",
            "changes at the target could not be carried back: "
            + "; ".join(each.message for each in flow.losses),
            "Nothing to do where the old store is left behind for good. "
            + " ".join(each.advice for each in flow.losses),
        )
    if not flow.records:
        yield finding(Severity.NOTE, "empty", f"{flow.source} has no records", "Check the name under `from`.")
    elif flow.scale is None:
        yield finding(
            Severity.NOTE,
            "unknown-size",
            f"nobody knows how many records {flow.source} has: items, units, time and price are of the sample alone",
            "`greylag plan --full` counts them.",
        )


def _of_fields(flow: FlowPlan, finding: _Make) -> Iterator[Finding]:
    for each in flow.types:
        where = f"split.{each.split}.types" if each.split else "types"
        seen = ", ".join(
            f"{name} {count:,}" for name, count in sorted(each.types.items(), key=lambda one: -one[1])
        )
        saved = f"{each.saved_bytes:.0f} bytes" if each.saved_bytes >= 1 else "less than a byte"
        yield finding(
            Severity.WARNING if each.mixed else Severity.NOTE,
            "mixed-types" if each.mixed else "hinted-type",
            f"`{each.path}` holds {seen}: each item keeps a hint of the type",
            f"`{where}: {{{each.path}: {each.rule}}}` spares {saved} an item; "
            "`greylag plan --write-types` writes it.",
            f"{flow.name}.{each.path}",
        )
    if flow.types_left_out:
        yield finding(
            Severity.NOTE,
            "types-not-tried",
            "no types are proposed for a flow with both `python:` and `split:`",
            "`greylag preview` shows the hints under `_greylag`.",
        )
    for path, count in flow.drops:
        yield finding(
            Severity.NOTE,
            "dropped-field",
            f"`{path}` is dropped: {count:,} of {flow.tried:,} records looked at have it",
            "Nothing to do if that is what `drop` was written for.",
            f"{flow.name}.{path}",
        )
    for path, count in flow.unseen:
        yield finding(
            Severity.WARNING,
            "left-out-by-python",
            f"`{path}` is in {count:,} of {flow.tried:,} records looked at, and `python:` leaves it out of their items",
            "Let the function keep it, or name it under `drop`.",
            f"{flow.name}.{path}",
        )


def _refused(flow: FlowPlan, groups: Sequence[Group]) -> str:
    """All that are refused for one kind of reason, the most frequent reason named."""
    first = groups[0]
    records = sum(group.records for group in groups)
    about = "" if flow.whole else " of the sample"
    what = _REFUSED.get(first.kind, "cannot be carried")
    more = f", or for {_reasons(len(groups) - 1)}" if len(groups) > 1 else ""
    return f"{records:,} of {flow.records:,} records{about} {what} and would be quarantined: {first.reason}{more}"


def _reasons(number: int) -> str:
    return "another reason" if number == 1 else f"{number} other reasons"


def _of_table(table: TablePlan) -> Iterator[Finding]:
    if table.state == "differs":
        yield Finding(
            Severity.BLOCKER,
            "table-differs",
            table.name,
            f"table {table.name} is not as greylag.yaml says: " + "; ".join(table.differences),
            "Change greylag.yaml to the table as it stands, add missing indexes, or write to a new table.",
        )
    if table.state == "missing":
        yield Finding(
            Severity.BLOCKER,
            "table-missing",
            table.name,
            f"table {table.name} does not exist, and its connection may not create it",
            "Create it, or let Greylag: `create_tables: true` in its connection.",
        )
    slow = {}
    if table.forecast is not None:
        slow = {each.place: each for each in reversed(table.hot_keys) if each.units >= HOT_UNITS}
    for place, each in slow.items():
        where = f"index {place}" if place else "the table"
        alone = table.forecast is not None and table.forecast.bound_by.startswith(
            "the heaviest partition key"
        )
        if alone or each.share >= HOT_SHARE:
            yield Finding(
                Severity.WARNING if alone else Severity.NOTE,
                "hot-key",
                table.name,
                f"{each.share:.0%} of the write units of {where} go to one partition key value, {each.value!r}: "
                f"{each.units:,} units at 1,000 a second are {each.units / 1000:,.0f} s, however fast the rest is",
                "Add to the partition key what spreads it (a shard number, a date), if the application will write "
                "as much to it too.",
            )
    for cost in table.costs:
        if cost.dollars is None and cost.way == "BatchWriteItem" and table.on_demand:
            yield Finding(
                Severity.NOTE,
                "no-price",
                table.name,
                cost.arithmetic,
                "The AWS Pricing Calculator has them all.",
            )

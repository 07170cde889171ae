"""What runs: functions, containers, their queues, secrets and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.infra.render.access import statements
from greylag.infra.render.hcl import Block, Raw, Set, expression
from greylag.infra.render.parts import Output, Part, Variable, module, sized, sizes
from greylag.infra.render.stack import label, slug
from greylag.infra.render.stores import key_arn, named
from greylag.infra.render.wiring import environment

if TYPE_CHECKING:
    from greylag.core.services import RunSpec
    from greylag.infra.render.hcl import Value
    from greylag.infra.render.stack import Stack


def policies(stack: Stack) -> Part:
    """iam.tf: what each program may do. The modules add logs, traces and event sources themselves."""
    rows = [
        Set(f"statements_{label(name)}", statements(stack, name))
        for name, _ in (*stack.functions, *stack.containers)
    ]
    if not rows:
        return Part()
    spaced: list[Set | Block | None] = []
    for row in rows:
        spaced += [row, None]
    why = (
        "One list of statements for each program, for a role of its own: its tables, queue, bucket, cache, databases,"
        " secrets, and what `uses` in greylag.yaml adds. Scan is allowed on tables: lists without a key need it."
    )
    return Part({"iam.tf": (Block("locals", (), tuple(spaced[:-1]), why),)})


def secrets(stack: Stack) -> Part:
    """Secrets without values: a person or a rotation puts them there, so that none is in a state or a file."""
    blocks: list[Block] = []
    proxied = {each.name: [stack.users_of("databases", each.name)] for each in stack.postgres if each.proxy}
    documents = {each.name for each in stack.documentdb}
    for service, run in (*stack.functions, *stack.containers):
        names = [(secret, "programs", f"{secret} of {service}.") for secret in run.secrets]
        for database in run.databases:
            if database in proxied:
                what = f"The user {label(service)} of database {database}, which the proxy signs in as."
                names.append((database, "databases", what))
            elif database in documents:
                names.append((database, "programs", f"Where and as whom {service} connects to {database}."))
        for name, data_class, what in names:
            blocks.append(
                Block(
                    "resource",
                    ("aws_secretsmanager_secret", f"{label(service)}_{label(name)}"),
                    (
                        Set("name", Raw(f'"${{local.name}}-{slug(service)}/{name}"')),
                        Set("description", what),
                        Set("kms_key_id", Raw(f"module.key_{data_class}.arn")),
                        Set(
                            "recovery_window_in_days",
                            30,
                            "checkov:skip=CKV2_AWS_57:its value is an application's own; who issues it rotates it",
                        ),
                    ),
                )
            )
    return Part({"secrets.tf": tuple(blocks)}) if blocks else Part()


def queues(stack: Stack) -> Part:
    """SQS."""
    blocks: list[Block] = []
    values: dict[str, dict[str, Value]] = {}
    outputs: list[Output] = []
    functions = {name for name, _ in stack.functions}
    for service, queue in stack.queues:
        run = stack.services[service].run
        timeout = (
            run.timeout_seconds if run is not None and service in functions else queue.visibility_seconds // 6
        )
        values[service] = {
            "visibility_timeout_seconds": queue.visibility_seconds + (6 if queue.batch > 10 else 0),
            "message_retention_seconds": queue.retention_seconds,
            "max_receive_count": queue.max_receives,
            "delay_seconds": queue.delay_seconds,
        }
        consumer: Value = (
            Raw(f'var.functions["{service}"].timeout_seconds') if service in functions else max(timeout, 1)
        )
        rows: list[Set | Block | None] = [
            named(service),
            key_arn("messages"),
            None,
            Set("fifo", queue.fifo),
            Set("consumer_timeout_seconds", consumer),
        ]
        if queue.batch > 10:
            rows.append(Set("batching_window_seconds", 1))
        rows += sized("queues", service, values[service])
        blocks.append(module("queue", f"queue_{label(service)}", *rows))
        outputs.append(
            Output(
                f"{label(service)}_queue_url",
                f"The queue of {service}.",
                Raw(f"module.queue_{label(service)}.queue_url"),
            )
        )
    if not blocks:
        return Part()
    variables = (
        sizes(
            "queues",
            "Queues, by the service that consumes them.",
            values,
            visibility_timeout_seconds="number",
            message_retention_seconds="number",
            max_receive_count="number",
            delay_seconds="number",
        ),
    )
    return Part({"sqs.tf": tuple(blocks)}, variables, tuple(outputs))


def functions(stack: Stack) -> Part:
    """Lambda."""
    blocks: list[Block] = []
    values: dict[str, dict[str, Value]] = {}
    outputs: list[Output] = []
    for service, run in stack.functions:
        name = label(service)
        values[service] = {
            "memory_mb": run.memory_mb,
            "timeout_seconds": run.timeout_seconds,
            "reserved_concurrency": run.reserved_concurrency,
            "provisioned_concurrency": run.provisioned_concurrency or 0,
        }
        rows: list[Set | Block | None] = [named(service), key_arn("programs"), None]
        if run.package is not None:
            zip_path = Raw(f'"${{path.root}}/../../build/{slug(service)}.zip"')
            rows += [
                Set(
                    "zip_path", zip_path, "Made by ../../bin/package.py: the same files give the same bytes."
                ),
                Set("runtime", run.runtime),
                Set("handler", run.handler),
            ]
        else:
            rows.append(Set("image_uri", _image(service, run)))
            if run.command:
                rows.append(Set("image_command", list(run.command)))
        rows += [Set("architecture", run.architecture)]
        rows += sized("functions", service, values[service])
        rows += [
            None,
            *_environment(stack, service, run),
            Set("policy_statements", Raw(f"local.statements_{name}")),
        ]
        if stack.in_network(service):
            vpc: Value = {
                "subnet_ids": Raw("module.network.private_subnet_ids"),
                "security_group_ids": [Raw("module.network.workload_security_group_id")],
            }
            rows += [None, Set("vpc", vpc)]
        queue = stack.services[service].queue
        if queue is not None:
            source: dict[str, Value] = {
                "arn": Raw(f"module.queue_{name}.queue_arn"),
                "kms_key_arn": Raw("module.key_messages.arn"),
                "batch_size": queue.batch,
            }
            if queue.batch > 10:
                source["batching_window_seconds"] = 1
            rows += [None, Set("event_sources", {"queue": source})]
        if run.schedule is not None:
            rows += [None, Set("schedules", {"main": {"expression": run.schedule}})]
        blocks.append(module("function", f"function_{name}", *rows))
        outputs.append(
            Output(
                f"{name}_function",
                f"The function of {service}.",
                Raw(f"module.function_{name}.function_name"),
            )
        )
    if not blocks:
        return Part()
    variables = (
        sizes(
            "functions",
            "Sizes of the functions, by service.",
            values,
            memory_mb="number",
            timeout_seconds="number",
            reserved_concurrency="number",
            provisioned_concurrency="number",
        ),
    )
    return Part({"lambda.tf": tuple(blocks)}, variables, tuple(outputs))


def containers(stack: Stack) -> Part:
    """ECS on Fargate."""
    blocks: list[Block] = []
    values: dict[str, dict[str, Value]] = {}
    outputs: list[Output] = []
    for service, run in stack.containers:
        own, name = f'var.containers["{service}"]', label(service)
        values[service] = {
            "cpu": run.cpu,
            "memory_mb": run.memory_mb,
            "min_tasks": run.min_count,
            "max_tasks": run.max_count,
        }
        release: Value = {
            "image": _image(service, run),
            "min_tasks": Raw(f"{own}.min_tasks"),
            "max_tasks": Raw(f"{own}.max_tasks"),
        }
        rows: list[Set | Block | None] = [
            named(service),
            key_arn("programs"),
            Set("vpc_id", Raw("module.network.vpc_id")),
            Set("subnet_ids", Raw("module.network.private_subnet_ids")),
            None,
            Set("releases", {"blue": release}, "A cutover adds `green` beside it and moves the weights."),
            Set("repository", False, "Images are kept once for all environments: ../../bootstrap/ecr.tf."),
            Set("cpu", Raw(f"{own}.cpu")),
            Set("memory_mb", Raw(f"{own}.memory_mb")),
            Set("architecture", run.architecture.upper()),
        ]
        if run.command:
            rows.append(Set("command", list(run.command)))
        api = stack.services[service].api
        if api is not None:
            rows += [
                Set("port", run.port),
                Set("health_check", {"path": run.health}),
                None,
                Set(
                    "load_balancer",
                    {
                        "subnet_ids": Raw("module.network.private_subnet_ids"),
                        "certificate_arn": Raw(
                            f"aws_acm_certificate_validation.{name}_origin.certificate_arn"
                        ),
                        "allowed_group_ids": [Raw("aws_security_group.vpc_link.id")],
                        "deletion_protection": Raw("var.deletion_protection"),
                    },
                    "Inside the network: only the API in front of it reaches it.",
                ),
            ]
        rows += [
            None,
            *_environment(stack, service, run),
            Set("policy_statements", Raw(f"local.statements_{name}")),
        ]
        filled = _filled_secrets(stack, service, run)
        if filled:
            rows += [
                None,
                Set("secrets", filled),
                Set("secrets_kms_key_arns", [Raw("module.key_programs.arn")]),
            ]
        egress = _egress(stack, service, run)
        if egress:
            rows += [None, Set("egress", egress)]
        if run.spot:
            rows += [None, Set("spot", {"on_demand_base": 1, "on_demand_weight": 0, "spot_weight": 1})]
        blocks.append(module("service", f"service_{name}", *rows))
        outputs.append(
            Output(
                f"{name}_cluster",
                f"The cluster that runs {service}.",
                Raw(f"module.service_{name}.cluster_name"),
            )
        )
    if not blocks:
        return Part()
    variables = (
        sizes(
            "containers",
            "Sizes of the containers, by service.",
            values,
            cpu="number",
            memory_mb="number",
            min_tasks="number",
            max_tasks="number",
        ),
    )
    return Part({"ecs.tf": tuple(blocks)}, variables, tuple(outputs))


def images(stack: Stack) -> Part:
    """The variables that say which build runs."""
    variables: list[Variable] = []
    if any(run.image is not None for _, run in (*stack.functions, *stack.containers)):
        variables = [
            Variable(
                "image_tags",
                "map(string)",
                "Tag of the image that each service runs. The pipeline gives it: the commit it was built from.",
                by="pipeline",
                default={},
            )
        ]
    for service, run in (*stack.functions, *stack.containers):
        if run.environment:
            shape = ", ".join(f"{name} = string" for name in run.environment)
            empty = dict.fromkeys(run.environment, "")
            variables.append(
                Variable(
                    f"{label(service)}_environment",
                    f"object({{ {shape} }})",
                    f"Variables of {service}'s program that are no secrets.",
                    empty,
                    by="person",
                )
            )
    return Part(variables=tuple(variables))


def _image(service: str, run: RunSpec) -> Value:
    assert run.image is not None
    if "/" in run.image:
        return run.image
    tag = f'lookup(var.image_tags, "{service}", "none")'
    return Raw(f'"${{local.registry}}/{slug(run.image)}:${{{tag}}}"')


def _environment(stack: Stack, service: str, run: RunSpec) -> list[Set]:
    own = environment(stack, service)
    if not run.environment:
        return [Set("environment", own)] if own else []
    if not own:
        return [Set("environment", Raw(f"var.{label(service)}_environment"))]
    return [Set("environment", Raw(f"merge(var.{label(service)}_environment, {expression(own, 2)})"))]


def _filled_secrets(stack: Stack, service: str, run: RunSpec) -> dict[str, Value]:
    documents = {each.name for each in stack.documentdb}
    found: dict[str, Value] = {
        name: Raw(f"aws_secretsmanager_secret.{label(service)}_{label(name)}.arn") for name in run.secrets
    }
    for name in run.databases:
        if name in documents:
            found[f"{label(name).upper()}_URL"] = Raw(
                f"aws_secretsmanager_secret.{label(service)}_{label(name)}.arn"
            )
    return found


def _egress(stack: Stack, service: str, run: RunSpec) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name in run.databases:
        kind = "proxy" if stack.infrastructure.databases[name].proxy else "database"
        made = f"module.{kind}_{label(name)}"
        found[slug(name)] = {"port": Raw(f"{made}.port"), "group_id": Raw(f"{made}.security_group_id")}
    for owner, _ in stack.caches:
        if service in stack.users_of("caches", owner):
            made = f"module.cache_{label(owner)}"
            found[f"{slug(owner)}-cache"] = {
                "port": Raw(f"{made}.port"),
                "group_id": Raw(f"{made}.security_group_id"),
            }
    return found

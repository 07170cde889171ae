"""What clients reach: HTTP and WebSocket APIs, names and certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.infra.render.hcl import Block, Inline, Raw, Set
from greylag.infra.render.parts import Output, Part, Variable, module, sizes
from greylag.infra.render.stack import label, slug
from greylag.infra.render.stores import key_arn, named

if TYPE_CHECKING:
    from greylag.core.services import ApiSpec
    from greylag.infra.render.hcl import Value
    from greylag.infra.render.stack import Stack


def apis(stack: Stack) -> Part:
    """HTTP APIs behind CloudFront and WAF, and WebSocket APIs."""
    blocks: list[Block] = []
    values: dict[str, dict[str, Value]] = {}
    outputs: list[Output] = []
    variables: list[Variable] = []
    containers = {name for name, _ in stack.containers}
    http = [(name, api) for name, api in stack.apis if api.routes or name in containers]
    if any(name in containers for name, _ in http):
        blocks += _vpc_link()
    for service, api in http:
        values[service] = {"burst": api.throttle_burst, "rate": api.throttle_per_second}
        blocks.append(_http(stack, service, api, container=service in containers))
        outputs.append(
            Output(
                f"{label(service)}_url", f"Where {service} answers.", Raw(f"module.api_{label(service)}.url")
            )
        )
    if http:
        variables.append(
            Variable(
                "origin_secrets",
                "list(string)",
                "What CloudFront shows the APIs to prove that a request came through it: one, or two while they change."
                " openssl rand -hex 32 makes one.",
                by="pipeline",
                sensitive=True,
            )
        )
    for service, api in stack.apis:
        if api.websocket:
            values.setdefault(service, {"burst": api.throttle_burst, "rate": api.throttle_per_second})
            blocks.append(_websocket(stack, service))
            name = label(service)
            outputs.append(
                Output(
                    f"{name}_websocket_url",
                    f"Where clients of {service} connect.",
                    Raw(f"module.websocket_{name}.url"),
                )
            )
    if not blocks:
        return Part()
    variables.append(
        sizes(
            "throttles",
            "Requests at once and per second that each API takes.",
            values,
            burst="number",
            rate="number",
        )
    )
    return Part({"api.tf": tuple(blocks)}, tuple(variables), tuple(outputs))


def _http(stack: Stack, service: str, api: ApiSpec, *, container: bool) -> Block:
    name = label(service)
    integration: dict[str, Value] = {"function_arn": Raw(f"module.function_{name}.alias_arn")}
    routes: dict[str, Value] = {route: Inline({"integration": slug(service)}) for route in api.routes}
    if container:
        integration = {
            "kind": "listener",
            "listener_arn": Raw(f"module.service_{name}.listener_arn"),
            "tls_server_name": stack.origin_host(service),
        }
        routes = {"$default": Inline({"integration": slug(service)})}
    rows: list[Set | Block | None] = [
        named(service),
        key_arn("programs"),
        None,
        Set("integrations", {slug(service): integration}),
        Set("routes", routes),
        Set("throttle", Raw(f'var.throttles["{service}"]')),
        Set("origin_secrets", Raw("var.origin_secrets")),
    ]
    if container:
        rows += [
            Set(
                "vpc_link",
                {
                    "subnet_ids": Raw("module.network.private_subnet_ids"),
                    "security_group_ids": [Raw("aws_security_group.vpc_link.id")],
                },
            )
        ]
    if api.cors is not None:
        rows.append(
            Set(
                "cors",
                {
                    "allow_origins": list(api.cors.origins),
                    "allow_methods": list(api.cors.methods),
                    "allow_headers": list(api.cors.headers),
                    "allow_credentials": api.cors.credentials,
                    "max_age_seconds": api.cors.max_age_seconds,
                },
            )
        )
    if api.domain is not None:
        origin = f"api-{stack.origin_host(service)}"
        rows += [
            None,
            Set(
                "domain",
                {
                    "name": stack.hosts[service],
                    "certificate_arn": Raw(f"aws_acm_certificate_validation.{name}.certificate_arn"),
                    "origin_name": origin,
                    "origin_certificate_arn": Raw(
                        f"aws_acm_certificate_validation.{name}_api.certificate_arn"
                    ),
                    "zone_id": Raw("data.aws_route53_zone.this.zone_id"),
                },
            ),
        ]
    return module("http-api", f"api_{name}", *rows)


def _websocket(stack: Stack, service: str) -> Block:
    alias = Raw(f"module.function_{label(service)}.alias_arn")
    first = next(name for name, api in stack.apis if api.websocket)
    rows: list[Set | Block | None] = [
        named(f"{service}-ws"),
        key_arn("programs"),
        None,
        Set("routes", dict.fromkeys(("$connect", "$disconnect", "$default"), alias)),
        Set("stage_name", "live"),
        Set("throttle", Raw(f'var.throttles["{service}"]')),
    ]
    if service == first:
        rows.append(
            Set(
                "account_logging_role",
                Raw("var.api_gateway_logging_role"),
                "One setting of the whole account: in one environment of an account.",
            )
        )
    return module("websocket-api", f"websocket_{label(service)}", *rows)


def websocket_account(stack: Stack) -> Part:
    """The account's setting that WebSocket APIs log by."""
    if not any(api.websocket for _, api in stack.apis):
        return Part()
    return Part(
        variables=(
            Variable(
                "api_gateway_logging_role",
                "bool",
                "Make the role by which API Gateway logs, for the whole account: false where it exists already.",
                True,
            ),
        )
    )


def _vpc_link() -> list[Block]:
    """What stands between the APIs and the load balancers."""
    return [
        Block(
            "resource",
            ("aws_security_group", "vpc_link"),
            (
                Set("name", Raw('"${local.name}-vpc-link"')),
                Set("description", "From the HTTP APIs to the load balancers inside the network"),
                Set(
                    "vpc_id",
                    Raw("module.network.vpc_id"),
                    "checkov:skip=CKV2_AWS_5:the API's VPC link has it",
                ),
            ),
            "Nothing comes in here: API Gateway's link only calls out.",
        ),
        Block(
            "resource",
            ("aws_vpc_security_group_egress_rule", "vpc_link"),
            (
                Set("security_group_id", Raw("aws_security_group.vpc_link.id")),
                Set("description", "HTTPS to the load balancers"),
                Set("cidr_ipv4", Raw("module.network.vpc_cidr_block")),
                Set("ip_protocol", "tcp"),
                Set("from_port", 443),
                Set("to_port", 443),
            ),
        ),
    ]


def names(stack: Stack) -> Part:
    """dns.tf: certificates of every name, validated in the project's zone."""
    wanted: list[tuple[str, str, str]] = []
    containers = {name for name, _ in stack.containers}
    for service, api in stack.apis:
        if api.domain is not None:
            wanted.append((label(service), stack.hosts[service], '"us-east-1"'))
            wanted.append((f"{label(service)}_api", f"api-{stack.origin_host(service)}", "var.region"))
        if service in containers:
            wanted.append((f"{label(service)}_origin", stack.origin_host(service), "var.region"))
    for service, assets in stack.assets:
        if assets.domain is not None:
            wanted.append((f"{label(service)}_assets", stack.hosts[f"{service}-assets"], '"us-east-1"'))
    if not wanted:
        return Part()
    blocks = [
        Block(
            "data",
            ("aws_route53_zone", "this"),
            (Set("name", stack.infrastructure.domain),),
            "The zone is not made here: a registrar points to it already.",
        )
    ]
    for name, host, region in wanted:
        certificate = f"aws_acm_certificate.{name}"
        why = "CloudFront takes certificates from us-east-1 only." if region != "var.region" else ""
        option = f"one({certificate}.domain_validation_options)"
        blocks += [
            Block(
                "resource",
                ("aws_acm_certificate", name),
                (
                    Set("region", Raw(region)),
                    Set("domain_name", host),
                    Set("validation_method", "DNS"),
                    None,
                    Block("lifecycle", (), (Set("create_before_destroy", True),)),
                ),
                why,
            ),
            Block(
                "resource",
                ("aws_route53_record", f"{name}_validation"),
                (
                    Set("zone_id", Raw("data.aws_route53_zone.this.zone_id")),
                    Set("name", Raw(f"{option}.resource_record_name")),
                    Set("type", Raw(f"{option}.resource_record_type")),
                    Set("records", [Raw(f"{option}.resource_record_value")]),
                    Set("ttl", 300),
                ),
            ),
            Block(
                "resource",
                ("aws_acm_certificate_validation", name),
                (
                    Set("region", Raw(region)),
                    Set("certificate_arn", Raw(f"{certificate}.arn")),
                    Set("validation_record_fqdns", [Raw(f"aws_route53_record.{name}_validation.fqdn")]),
                ),
            ),
        ]
    return Part({"dns.tf": tuple(blocks)})

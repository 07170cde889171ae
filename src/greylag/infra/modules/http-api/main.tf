data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  origin_header = "x-origin-verify"
  public_name   = var.domain == null ? aws_cloudfront_distribution.this.domain_name : var.domain.name

  # By their kind, not their ARN, which is known only after its resource is made.
  functions = { for name, i in var.integrations : name => i if i.kind == "function" }
  listeners = { for name, i in var.integrations : name => i if i.kind == "listener" }
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "HTTP API of ${var.name}, reached through CloudFront"
  protocol_type = "HTTP"
  tags          = var.tags

  # With a domain of its own the API has no other door; without one CloudFront needs this door, and the origin
  # secret keeps others out.
  disable_execute_api_endpoint = var.domain != null

  dynamic "cors_configuration" {
    for_each = var.cors == null ? [] : [var.cors]

    content {
      allow_origins     = cors_configuration.value.allow_origins
      allow_methods     = cors_configuration.value.allow_methods
      allow_headers     = cors_configuration.value.allow_headers
      expose_headers    = cors_configuration.value.expose_headers
      allow_credentials = cors_configuration.value.allow_credentials
      max_age           = cors_configuration.value.max_age_seconds
    }
  }
}

resource "aws_apigatewayv2_integration" "functions" {
  for_each = local.functions

  api_id                 = aws_apigatewayv2_api.this.id
  description            = each.key
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = "arn:${local.partition}:apigateway:${local.region}:lambda:path/2015-03-31/functions/${each.value.function_arn}/invocations"
  payload_format_version = "2.0"
  timeout_milliseconds   = each.value.timeout_ms
}

resource "aws_lambda_permission" "integrations" {
  for_each = local.functions

  statement_id  = "${var.name}-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = split(":", each.value.function_arn)[6]
  qualifier     = split(":", each.value.function_arn)[7]
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}

resource "aws_apigatewayv2_vpc_link" "this" {
  count = var.vpc_link == null ? 0 : 1

  name               = var.name
  subnet_ids         = var.vpc_link.subnet_ids
  security_group_ids = var.vpc_link.security_group_ids
  tags               = var.tags
}

resource "aws_apigatewayv2_integration" "listeners" {
  for_each = local.listeners

  api_id               = aws_apigatewayv2_api.this.id
  description          = each.key
  integration_type     = "HTTP_PROXY"
  integration_method   = "ANY"
  integration_uri      = each.value.listener_arn
  connection_type      = "VPC_LINK"
  connection_id        = aws_apigatewayv2_vpc_link.this[0].id
  timeout_milliseconds = each.value.timeout_ms

  dynamic "tls_config" {
    for_each = each.value.tls_server_name == null ? [] : [each.value.tls_server_name]

    content {
      server_name_to_verify = tls_config.value
    }
  }
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.this.id
  name             = "${var.name}-jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audiences
  }
}

locals {
  integration_ids = merge(
    { for name, i in aws_apigatewayv2_integration.functions : name => i.id },
    { for name, i in aws_apigatewayv2_integration.listeners : name => i.id },
  )
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:every route is CUSTOM, JWT or AWS_IAM; the check does not evaluate the expression
  for_each = var.routes

  api_id    = aws_apigatewayv2_api.this.id
  route_key = each.key
  target    = "integrations/${local.integration_ids[each.value.integration]}"

  authorization_type   = each.value.authorization == "ORIGIN" ? "CUSTOM" : each.value.authorization
  authorizer_id        = each.value.authorization == "AWS_IAM" ? null : each.value.authorization == "JWT" ? aws_apigatewayv2_authorizer.jwt[0].id : aws_apigatewayv2_authorizer.origin.id
  authorization_scopes = each.value.scopes
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:the default is a year; a shorter time is the caller's choice
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_apigatewayv2_stage" "this" {
  #checkov:skip=CKV2_AWS_51:CloudFront proves itself with the origin secret (origin.tf); callers are browsers and have no certificate
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  # What an incident needs and nothing that identifies a person: no query string, no header, no body.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId        = "$context.requestId"
      time             = "$context.requestTime"
      method           = "$context.httpMethod"
      route            = "$context.routeKey"
      path             = "$context.path"
      status           = "$context.status"
      responseBytes    = "$context.responseLength"
      latencyMs        = "$context.responseLatency"
      integrationMs    = "$context.integrationLatency"
      integrationError = "$context.integrationErrorMessage"
      authorizerError  = "$context.authorizer.error"
    })
  }

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_burst_limit   = var.throttle.burst
    throttling_rate_limit    = var.throttle.rate
  }

  dynamic "route_settings" {
    for_each = { for key, route in var.routes : key => route if route.burst != null || route.rate != null }

    content {
      route_key                = route_settings.key
      detailed_metrics_enabled = true
      throttling_burst_limit   = coalesce(route_settings.value.burst, var.throttle.burst)
      throttling_rate_limit    = coalesce(route_settings.value.rate, var.throttle.rate)
    }
  }

  # A route's settings are refused before the route exists.
  depends_on = [aws_apigatewayv2_route.this]
}

data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  # The form in which API Gateway takes a function: its own ARN inside an ARN of API Gateway.
  invoke_prefix = "arn:${local.partition}:apigateway:${local.region}:lambda:path/2015-03-31/functions"
}

resource "aws_apigatewayv2_api" "this" {
  name                         = var.name
  description                  = "WebSocket API of ${var.name}"
  protocol_type                = "WEBSOCKET"
  route_selection_expression   = var.route_selection_expression
  disable_execute_api_endpoint = var.domain != null
  tags                         = var.tags
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = var.routes

  api_id               = aws_apigatewayv2_api.this.id
  description          = each.key
  integration_type     = "AWS_PROXY"
  integration_method   = "POST"
  integration_uri      = "${local.invoke_prefix}/${each.value}/invocations"
  timeout_milliseconds = var.integration_timeout_ms
}

resource "aws_lambda_permission" "routes" {
  for_each = var.routes

  statement_id  = "${var.name}-${replace(each.key, "$", "")}"
  action        = "lambda:InvokeFunction"
  function_name = split(":", each.value)[6]
  qualifier     = split(":", each.value)[7]
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/${each.key}"
}

# Only $connect can be authorized: what follows on the connection is the same caller's.
resource "aws_apigatewayv2_authorizer" "this" {
  count = var.authorizer == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.this.id
  name             = "${var.name}-connect"
  authorizer_type  = "REQUEST"
  authorizer_uri   = "${local.invoke_prefix}/${var.authorizer.function_arn}/invocations"
  identity_sources = var.authorizer.identity_sources
}

resource "aws_lambda_permission" "authorizer" {
  count = var.authorizer == null ? 0 : 1

  statement_id  = "${var.name}-authorizer"
  action        = "lambda:InvokeFunction"
  function_name = split(":", var.authorizer.function_arn)[6]
  qualifier     = split(":", var.authorizer.function_arn)[7]
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.this[0].id}"
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:only $connect can carry an authorizer, and it does where an authorizer is given; else its function refuses
  for_each = var.routes

  api_id    = aws_apigatewayv2_api.this.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.this[each.key].id}"

  authorization_type = each.key == "$connect" && var.authorizer != null ? "CUSTOM" : "NONE"
  authorizer_id      = each.key == "$connect" ? one(aws_apigatewayv2_authorizer.this[*].id) : null
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:the default is a year; a shorter time is the caller's choice
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_apigatewayv2_stage" "this" {
  #checkov:skip=CKV2_AWS_51:callers are browsers and have no certificate
  api_id      = aws_apigatewayv2_api.this.id
  name        = var.stage_name
  auto_deploy = true
  tags        = var.tags

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId        = "$context.requestId"
      time             = "$context.requestTime"
      event            = "$context.eventType"
      route            = "$context.routeKey"
      connectionId     = "$context.connectionId"
      status           = "$context.status"
      integrationMs    = "$context.integrationLatency"
      integrationError = "$context.integrationErrorMessage"
      authorizerError  = "$context.authorizer.error"
    })
  }

  default_route_settings {
    detailed_metrics_enabled = true
    # Execution logs would hold whole messages; the access log holds none.
    logging_level          = "OFF"
    data_trace_enabled     = false
    throttling_burst_limit = var.throttle.burst
    throttling_rate_limit  = var.throttle.rate
  }

  depends_on = [aws_apigatewayv2_route.this, aws_api_gateway_account.this]
}

resource "aws_apigatewayv2_domain_name" "this" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name
  tags        = var.tags

  domain_name_configuration {
    certificate_arn = var.domain.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.this.id
}

resource "aws_route53_record" "this" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}

# CloudFront in front, with WAF: WAF cannot be attached to an HTTP API.

data "aws_cloudfront_cache_policy" "disabled" {
  name = "Managed-CachingDisabled"
}

# Everything the viewer sent except Host, which must be the API's own name.
data "aws_cloudfront_origin_request_policy" "all_but_host" {
  name = "Managed-AllViewerExceptHostHeader"
}

resource "aws_cloudfront_response_headers_policy" "this" {
  #checkov:skip=CKV_AWS_259:subdomains and the preload list bind names this module does not know; its own name is bound for a year
  name    = "${var.name}-api"
  comment = "Security headers of ${var.name}"

  security_headers_config {
    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = false
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = false
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = false
      preload                    = false
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_310:the API is one origin; the failover module moves between regions
  #checkov:skip=CKV_AWS_374:who may call is decided by the application, not by country
  #checkov:skip=CKV_AWS_86:WAF logs every request that reaches the edge, the API every request that passes
  #checkov:skip=CKV_AWS_305:an API has no root object
  #checkov:skip=CKV2_AWS_47:the web ACL in waf.tf has AWSManagedRulesKnownBadInputsRuleSet; the check does not follow the reference
  #checkov:skip=CKV_AWS_174:without a domain CloudFront's own certificate decides; with one it is TLSv1.2_2021
  #checkov:skip=CKV2_AWS_42:without a domain CloudFront's own certificate serves
  enabled         = true
  comment         = "API of ${var.name}"
  aliases         = var.domain == null ? [] : [var.domain.name]
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = var.price_class
  web_acl_id      = aws_wafv2_web_acl.this.arn
  tags            = var.tags

  origin {
    origin_id   = "api"
    domain_name = var.domain == null ? replace(aws_apigatewayv2_api.this.api_endpoint, "https://", "") : var.domain.origin_name

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      # The API gives up after 30 seconds; its own answer must arrive before CloudFront's.
      origin_read_timeout = 35
    }

    custom_header {
      name  = local.origin_header
      value = var.origin_secrets[0]
    }
  }

  default_cache_behavior {
    target_origin_id           = "api"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.disabled.id
    origin_request_policy_id   = data.aws_cloudfront_origin_request_policy.all_but_host.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = try(var.domain.certificate_arn, null)
    minimum_protocol_version       = var.domain == null ? null : "TLSv1.2_2021"
    ssl_support_method             = var.domain == null ? null : "sni-only"
  }
}

# The name CloudFront reaches the API under. It is not secret and need not be: the origin secret is.
resource "aws_apigatewayv2_domain_name" "origin" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.origin_name
  tags        = var.tags

  domain_name_configuration {
    certificate_arn = var.domain.origin_certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "origin" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.origin[0].id
  stage       = aws_apigatewayv2_stage.this.id
}

resource "aws_route53_record" "origin" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.origin_name
  type    = "A"

  alias {
    name                   = aws_apigatewayv2_domain_name.origin[0].domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.origin[0].domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}

resource "aws_route53_record" "public" {
  for_each = var.domain == null ? toset([]) : toset(["A", "AAAA"])

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = each.value

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}

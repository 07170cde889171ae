locals {
  public_name = var.domain == null ? one(aws_cloudfront_distribution.assets[*].domain_name) : var.domain.names[0]
}

# CloudFront signs each request to the bucket; nobody else reads it.
resource "aws_cloudfront_origin_access_control" "assets" {
  count = var.cdn ? 1 : 0

  name                              = "${var.name}-assets"
  description                       = "Reads ${aws_s3_bucket.assets.id}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_public_key" "assets" {
  for_each = var.signing_public_keys

  name        = "${var.name}-${each.key}"
  comment     = "May sign URLs of ${var.name}"
  encoded_key = each.value
}

resource "aws_cloudfront_key_group" "assets" {
  count = length(var.signing_public_keys) > 0 ? 1 : 0

  name    = "${var.name}-assets"
  comment = "Keys that may sign URLs of ${var.name}"
  items   = [for key in aws_cloudfront_public_key.assets : key.id]
}

data "aws_cloudfront_cache_policy" "optimized" {
  name = "Managed-CachingOptimized"
}

resource "aws_cloudfront_response_headers_policy" "assets" {
  #checkov:skip=CKV_AWS_259:subdomains and the preload list bind names this module does not know; its own name is bound for a year
  count = var.cdn ? 1 : 0

  name    = "${var.name}-assets"
  comment = "Security headers of ${var.name}"

  security_headers_config {
    content_security_policy {
      content_security_policy = var.content_security_policy
      override                = true
    }

    # Uploaded content is served as what it says it is, never guessed to be a script.
    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = false
      preload                    = false
      override                   = true
    }
  }

  dynamic "cors_config" {
    for_each = length(var.cors_origins) > 0 ? [1] : []

    content {
      access_control_allow_credentials = false
      origin_override                  = true

      access_control_allow_headers {
        items = ["*"]
      }

      access_control_allow_methods {
        items = ["GET", "HEAD"]
      }

      access_control_allow_origins {
        items = var.cors_origins
      }
    }
  }
}

resource "aws_cloudfront_distribution" "assets" {
  #checkov:skip=CKV_AWS_310:one bucket is the origin; a second region's would need the objects copied there
  #checkov:skip=CKV_AWS_374:who may read is decided by signed URLs, not by country
  #checkov:skip=CKV_AWS_86:access logs go through CloudWatch's delivery (logs.tf), which needs no bucket ACL
  #checkov:skip=CKV_AWS_68:files only, nothing to inject into; web_acl_arn takes a WAF where one is wanted
  #checkov:skip=CKV2_AWS_47:files only, nothing to inject into; web_acl_arn takes a WAF where one is wanted
  #checkov:skip=CKV_AWS_305:there is no index to serve unless default_root_object names one
  #checkov:skip=CKV_AWS_174:without a domain CloudFront's own certificate decides; with one it is TLSv1.2_2021
  #checkov:skip=CKV2_AWS_42:without a domain CloudFront's own certificate serves
  count = var.cdn ? 1 : 0

  enabled             = true
  comment             = "Assets of ${var.name}"
  aliases             = var.domain == null ? [] : var.domain.names
  default_root_object = var.default_root_object
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  price_class         = var.price_class
  web_acl_id          = var.web_acl_arn
  tags                = var.tags

  origin {
    origin_id                = "bucket"
    domain_name              = aws_s3_bucket.assets.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.assets[0].id
  }

  default_cache_behavior {
    target_origin_id           = "bucket"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.optimized.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.assets[0].id
    trusted_key_groups         = aws_cloudfront_key_group.assets[*].id
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

locals {
  record_names = var.domain != null && try(var.domain.zone_id, null) != null ? toset(var.domain.names) : toset([])
}

resource "aws_route53_record" "ipv4" {
  for_each = local.record_names

  zone_id = var.domain.zone_id
  name    = each.value
  type    = "A"

  alias {
    name                   = aws_cloudfront_distribution.assets[0].domain_name
    zone_id                = aws_cloudfront_distribution.assets[0].hosted_zone_id
    evaluate_target_health = false
  }
}

resource "aws_route53_record" "ipv6" {
  for_each = local.record_names

  zone_id = var.domain.zone_id
  name    = each.value
  type    = "AAAA"

  alias {
    name                   = aws_cloudfront_distribution.assets[0].domain_name
    zone_id                = aws_cloudfront_distribution.assets[0].hosted_zone_id
    evaluate_target_health = false
  }
}

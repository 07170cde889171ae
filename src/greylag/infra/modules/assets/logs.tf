# Access logs of the bucket and of CloudFront.

resource "aws_s3_bucket" "logs" {
  #checkov:skip=CKV_AWS_144:logs are not copied to a second region
  #checkov:skip=CKV2_AWS_62:nothing listens to the arrival of a log file
  #checkov:skip=CKV_AWS_18:a log of the log's readers would have to be logged in turn; CloudTrail's data events show them
  #checkov:skip=CKV_AWS_145:S3 delivers access logs to a bucket with S3's own encryption only, not to one with a KMS key
  #checkov:skip=CKV_AWS_21:log files are written once and expire; versions would only double them
  bucket = "${var.name}-asset-logs-${data.aws_caller_identity.current.account_id}"
  tags   = var.tags
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "logs" {
  bucket = aws_s3_bucket.logs.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.log_retention_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "logs" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.logs.arn, "${aws_s3_bucket.logs.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    sid       = "BucketAccessLog"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs.arn}/s3/*"]

    principals {
      type        = "Service"
      identifiers = ["logging.s3.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_s3_bucket.assets.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }

  dynamic "statement" {
    for_each = var.cdn ? [1] : []

    content {
      sid       = "CloudFrontAccessLog"
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.logs.arn}/cloudfront/*"]

      principals {
        type        = "Service"
        identifiers = ["delivery.logs.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.current.account_id]
      }

      condition {
        test     = "ArnLike"
        variable = "aws:SourceArn"
        values   = ["arn:${data.aws_partition.current.partition}:logs:us-east-1:${data.aws_caller_identity.current.account_id}:delivery-source:${var.name}-assets"]
      }
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = data.aws_iam_policy_document.logs.json

  depends_on = [aws_s3_bucket_public_access_block.logs]
}

# CloudFront's logs, through CloudWatch's delivery: unlike the older way it needs no bucket ACL. It lives in us-east-1.

resource "aws_cloudwatch_log_delivery_source" "cdn" {
  count  = var.cdn ? 1 : 0
  region = "us-east-1"

  name         = "${var.name}-assets"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.assets[0].arn
  tags         = var.tags
}

resource "aws_cloudwatch_log_delivery_destination" "cdn" {
  count  = var.cdn ? 1 : 0
  region = "us-east-1"

  name          = "${var.name}-assets"
  output_format = "json"
  tags          = var.tags

  delivery_destination_configuration {
    destination_resource_arn = "${aws_s3_bucket.logs.arn}/cloudfront"
  }

  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_cloudwatch_log_delivery" "cdn" {
  count  = var.cdn ? 1 : 0
  region = "us-east-1"

  delivery_source_name     = aws_cloudwatch_log_delivery_source.cdn[0].name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.cdn[0].arn
  tags                     = var.tags
}

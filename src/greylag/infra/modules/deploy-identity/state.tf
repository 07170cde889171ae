# One bucket, one state per environment. Terraform locks with an object beside the state (use_lockfile); no table.

resource "aws_s3_bucket" "state" {
  #checkov:skip=CKV_AWS_144:a state describes one account; versions protect against loss, and it can be rebuilt by import
  #checkov:skip=CKV_AWS_18:CloudTrail's data events show who reads states, with their identity (audit module)
  #checkov:skip=CKV2_AWS_62:nothing listens to changes of a state
  bucket = coalesce(var.state_bucket_name, "${var.name}-terraform-state-${local.account}")
  tags   = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_ownership_controls" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket = aws_s3_bucket.state.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = var.state_versions_days
      newer_noncurrent_versions = 20 # kept whatever their age
    }

    expiration {
      expired_object_delete_marker = true # each released lock leaves one
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.state]
}

data "aws_iam_policy_document" "state_bucket" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]

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
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = data.aws_iam_policy_document.state_bucket.json

  depends_on = [aws_s3_bucket_public_access_block.state]
}

locals {
  state_keys = { for environment in keys(var.environments) : environment => "${environment}/terraform.tfstate" }

  backend_configs = { for environment, key in local.state_keys : environment => <<-HCL
    terraform {
      backend "s3" {
        bucket       = "${aws_s3_bucket.state.bucket}"
        key          = "${key}"
        region       = "${data.aws_region.current.region}"
        encrypt      = true
        kms_key_id   = "${var.kms_key_arn}"
        use_lockfile = true
      }
    }
  HCL
  }
}

data "aws_partition" "current" {}

locals {
  # Tags of images and layers aside, one of three packages; exactly one is given (variables.tf).
  zip_hash = var.zip_path != null ? filebase64sha256(coalesce(var.zip_path, "none")) : try(var.zip_s3.sha256, null)
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:the default is a year; a shorter time is the caller's choice
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_272:the pipeline that may publish is the only writer (deploy-identity); code signing needs a signing profile per account and does not cover images
  #checkov:skip=CKV_AWS_115:reserved concurrency is taken from the account's limit, so it is set where a database needs it (reserved_concurrency), not everywhere
  #checkov:skip=CKV_AWS_116:queues and streams keep their own dead letters; asynchronous events go to dead_letter with their error (alias.tf), and both would keep each event twice
  #checkov:skip=CKV_AWS_117:a function that needs nothing in the VPC starts faster and needs no NAT outside it; vpc puts it inside
  #checkov:skip=CKV_AWS_50:tracing is Active by default; PassThrough is the caller's choice
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn
  publish       = true
  tags          = var.tags

  package_type      = var.image_uri == null ? "Zip" : "Image"
  filename          = var.zip_path
  s3_bucket         = try(var.zip_s3.bucket, null)
  s3_key            = try(var.zip_s3.key, null)
  s3_object_version = try(var.zip_s3.version_id, null)
  source_code_hash  = local.zip_hash
  image_uri         = var.image_uri
  runtime           = var.runtime
  handler           = var.handler
  layers            = var.layers

  architectures                  = [var.architecture]
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)
  kms_key_arn                    = var.kms_key_arn

  ephemeral_storage {
    size = var.ephemeral_mb
  }

  dynamic "image_config" {
    for_each = length(var.image_command) > 0 ? [var.image_command] : []

    content {
      command = image_config.value
    }
  }

  dynamic "environment" {
    for_each = length(var.environment) > 0 ? [var.environment] : []

    content {
      variables = environment.value
    }
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  tracing_config {
    mode = var.tracing
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  # Without its permissions the first call would fail, and without the log group Lambda would make one of its own.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}

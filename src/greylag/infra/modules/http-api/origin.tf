# The API answers CloudFront and nobody else. CloudFront adds a secret header; a small function compares it, and API
# Gateway remembers the answer for the secret, so that the function runs about once an hour, not once a request. A request
# without the header is refused before the function is called.

data "archive_file" "origin" {
  type        = "zip"
  output_path = "${path.root}/.terraform/${var.name}-origin-verify.zip"

  source {
    filename = "origin_verify.py"
    content  = file("${path.module}/origin_verify.py")
  }
}

data "aws_iam_policy_document" "origin_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "origin" {
  name               = "${var.name}-origin-verify"
  description        = "Compares the origin secret of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.origin_assume.json
  tags               = var.tags
}

resource "aws_cloudwatch_log_group" "origin" {
  #checkov:skip=CKV_AWS_338:the default is a year; a shorter time is the caller's choice
  name              = "/aws/lambda/${var.name}-origin-verify"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

data "aws_iam_policy_document" "origin" {
  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.origin.arn}:*"]
  }

  statement {
    sid       = "OwnEnvironment"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "origin" {
  name   = "origin-verify"
  role   = aws_iam_role.origin.id
  policy = data.aws_iam_policy_document.origin.json
}

resource "aws_lambda_function" "origin" {
  #checkov:skip=CKV_AWS_115:called about once an hour; a reservation would take from the account's limit
  #checkov:skip=CKV_AWS_116:called synchronously only
  #checkov:skip=CKV_AWS_117:reaches nothing, in the VPC or elsewhere
  #checkov:skip=CKV_AWS_272:its code is the file beside this one, in the reviewed module
  #checkov:skip=CKV_AWS_50:two comparisons; the API's own log shows their time
  function_name    = "${var.name}-origin-verify"
  description      = "Compares the header that CloudFront adds"
  role             = aws_iam_role.origin.arn
  filename         = data.archive_file.origin.output_path
  source_code_hash = data.archive_file.origin.output_base64sha256
  runtime          = "python3.13"
  handler          = "origin_verify.handler"
  architectures    = ["arm64"]
  memory_size      = 128
  timeout          = 3
  kms_key_arn      = var.kms_key_arn
  tags             = var.tags

  environment {
    variables = {
      HEADER  = local.origin_header
      DIGESTS = join(",", [for secret in var.origin_secrets : sha256(secret)])
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.origin.name
  }

  depends_on = [aws_iam_role_policy.origin]
}

resource "aws_apigatewayv2_authorizer" "origin" {
  api_id                            = aws_apigatewayv2_api.this.id
  name                              = "${var.name}-origin"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = aws_lambda_function.origin.invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  authorizer_result_ttl_in_seconds  = 3600
  identity_sources                  = ["$request.header.${local.origin_header}"]
}

resource "aws_lambda_permission" "origin" {
  statement_id  = "authorizer"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.origin.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.origin.id}"
}

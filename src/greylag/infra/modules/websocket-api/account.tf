# A WebSocket API writes its access log with a role that is set once for the whole account and region.

data "aws_iam_policy_document" "account_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["apigateway.amazonaws.com"]
    }

  }
}

resource "aws_iam_role" "account" {
  count = var.account_logging_role ? 1 : 0

  name               = "${var.name}-apigateway-logs"
  description        = "API Gateway writes the logs of this account and region"
  assume_role_policy = data.aws_iam_policy_document.account_assume.json
  tags               = var.tags
}

# AWS's own policy for this role: it serves every API of the account, whose log groups this module does not know, and
# API Gateway checks that it may do all of this before it accepts the role.
resource "aws_iam_role_policy_attachment" "account" {
  count = var.account_logging_role ? 1 : 0

  role       = aws_iam_role.account[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  count = var.account_logging_role ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.account[0].arn

  depends_on = [aws_iam_role_policy_attachment.account]
}

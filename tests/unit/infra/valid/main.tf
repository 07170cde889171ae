# Constructs that are right, and that a check could take for wrong.

terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    aws = {
      source                = "hashicorp/aws"
      version               = "~> 6.28"
      configuration_aliases = [aws.handed]
    }
  }

  backend "s3" {
    bucket       = "state"
    key          = "a/terraform.tfstate"
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

provider "aws" {
  alias  = "edge"
  region = "us-east-1"

  assume_role {
    role_arn = "arn:aws:iam::123456789012:role/edge"
  }
}

variable "region" {
  type        = string
  description = "Where."
  default     = "eu-west-1"
}

variable "queues" {
  description = "Queues by name."
  type = map(object({
    fifo               = optional(bool, false)
    visibility_seconds = optional(number, 30)
    consumer = optional(object({
      timeout_seconds = number
      name            = optional(string)
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.visibility_seconds >= var.least_seconds])
    error_message = "Longer than ${var.least_seconds}."
  }
}

variable "least_seconds" {
  type    = number
  default = 1
}

variable "zones" {
  type      = list(string)
  default   = ["a", "b"]
  sensitive = false
  ephemeral = false
}

locals {
  tags       = { Project = "valid", "cost-centre" = "x", (var.region) = "y" }
  zones      = { for place, zone in var.zones : zone => place if zone != "" }
  grouped    = { for zone in var.zones : substr(zone, 0, 1) => zone... }
  merged     = merge(local.tags, { Name = "${var.region}-valid" }, var.region == "eu" ? { EU = "yes" } : {})
  negative   = -1 * (3 + 4 % 2) / 2
  ready      = !(length(var.zones) > 0 && var.region != null || false)
  first      = var.zones[0]
  nested     = [for zone in var.zones : [for other in var.zones : "${zone}${other}" if other != zone]]
  legacy     = var.zones.0
  fallback   = try(var.queues["a"].consumer.timeout_seconds, 30)
  perhaps    = [try(local.nothing.at.all, local.select.none, null), can(var.queues["a"].none), local.grouped["a"][0]]
  nothing    = {}
  escaped    = "$${not} a reference, %%{nor} this, \"quoted\" and a tab\t"
  select     = { in = "a", for = "b", if = "c" }
  directives = "%{for zone in var.zones}${zone}, %{endfor}%{if local.ready}ready%{else}no%{endif}"

  long = (
    var.region == "eu-west-1"
    ? "near"
    : "far"
  )

  heredoc = <<-EOT
    #!/bin/sh
    # ${local.first} ${format("}{%s", "${local.first}}")} $${HOME} %{if local.ready}ready%{endif}
    %{for zone in var.zones~}
    echo ${zone} ${upper(zone)}
    %{endfor~}
    ${jsonencode({
  a = { b = local.negative }
})}
  EOT

json = <<JSON
{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${local.first}/*"}]}
JSON
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

data "aws_vpc" "found" {
  id = "vpc-1"
}

data "aws_iam_policy_document" "queue" {
  for_each = var.queues

  statement {
    sid       = "Send"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.this[each.key].arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.this.arn]
    }
  }

  dynamic "statement" {
    for_each = each.value.fifo ? [1] : []
    content {
      effect    = "Deny"
      actions   = ["*"]
      resources = ["*"]
    }
  }
}

data "aws_iam_policy_document" "key" {
  statement {
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}

resource "aws_kms_key" "this" {
  policy              = data.aws_iam_policy_document.key.json
  enable_key_rotation = true
}

resource "aws_sqs_queue" "dead" {
  count = local.ready ? 1 : 0

  name = "dead-${count.index}"
}

resource "aws_sqs_queue" "this" {
  for_each = var.queues

  name                       = each.value.fifo ? "${each.key}.fifo" : each.key
  fifo_queue                 = each.value.fifo
  visibility_timeout_seconds = each.value.visibility_seconds
  delay_seconds              = "5"
  kms_master_key_id          = aws_kms_key.this.key_id
  redrive_policy = length(aws_sqs_queue.dead) > 0 ? jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[0].arn
    maxReceiveCount     = 5
  }) : null
  tags       = local.merged
  depends_on = [aws_sqs_queue.dead, data.aws_caller_identity.current]

  lifecycle {
    prevent_destroy       = true
    ignore_changes        = [tags, tags["a"], delay_seconds]
    replace_triggered_by  = [aws_kms_key.this.id]
    create_before_destroy = true

    precondition {
      condition     = each.value.visibility_seconds > 0
      error_message = "Positive."
    }

    postcondition {
      condition     = self.arn != ""
      error_message = "It has one."
    }
  }

  timeouts {
    create = "5m"
  }
}

resource "aws_sqs_queue_policy" "this" {
  for_each = aws_sqs_queue.this

  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

resource "aws_sns_topic" "this" {
  provider = aws.edge

  name = "topic"
}

resource "aws_sns_topic" "handed" {
  provider = aws.handed
}

resource "aws_dynamodb_table" "this" {
  name         = "table"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  dynamic "attribute" {
    for_each = toset(["pk", "sk"])
    iterator = key
    content {
      name = key.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = { one = { keys = ["sk"] } }
    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.keys[0]
      projection_type = "ALL"

      dynamic "on_demand_throughput" {
        for_each = [global_secondary_index.value]
        content {
          max_read_request_units = length(on_demand_throughput.value.keys)
        }
      }
    }
  }

  point_in_time_recovery { enabled = true }
}

resource "aws_security_group" "web" {
  vpc_id = data.aws_vpc.found.id

  # attributes as blocks, and as a list of objects
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress = []
}

resource "aws_lb" "this" {
  security_groups = [aws_security_group.web.id]
  subnets         = [for zone, place in local.zones : "subnet-${zone}-${place}"]
}

resource "aws_acm_certificate" "this" {
  domain_name       = "a.example"
  validation_method = "DNS"
}

resource "aws_route53_record" "validation" {
  for_each = {
    for option in aws_acm_certificate.this.domain_validation_options : option.domain_name => {
      name   = option.resource_record_name
      type   = option.resource_record_type
      record = option.resource_record_value
    }
  }

  zone_id = "Z1"
  name    = each.value.name
  type    = each.value.type
  records = [each.value.record]
  ttl     = 60
}

resource "aws_s3_bucket" "this" {
  bucket_prefix = "valid"
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "abort"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "terraform_data" "replaced" {
  input = local.escaped

  provisioner "local-exec" {
    command = "echo ${self.input}"
  }
}

module "child" {
  source   = "./child"
  for_each = local.zones

  name  = each.key
  table = { name = "t", keys = ["a", 1] }
  sizes = { small = "1", large = 2 }

  providers = {
    aws      = aws.edge
    aws.also = aws.handed
  }

  depends_on = [aws_dynamodb_table.this]
}

module "once" {
  source = "./child"
  count  = 1

  name      = one(aws_sqs_queue.dead[*].name)
  providers = { aws.also = aws.edge }
}

moved {
  from = aws_sqs_queue.old
  to   = aws_sqs_queue.this["a"]
}

import {
  to = aws_s3_bucket.this
  id = "valid-1"
}

removed {
  from = aws_sqs_queue.gone

  lifecycle {
    destroy = false
  }
}

check "answers" {
  data "aws_region" "here" {}

  assert {
    condition     = data.aws_region.here.region == var.region
    error_message = "Elsewhere: ${data.aws_region.here.region}"
  }
}

ephemeral "aws_secretsmanager_secret_version" "this" {
  secret_id = "a"
}

output "everything" {
  description = "What nothing else reads."
  sensitive   = true
  value = {
    arns     = { for name, queue in aws_sqs_queue.this : name => queue.arn }
    children = [for child in module.child : child.id]
    child    = module.child["a"].names[0]
    once     = module.once[0].id
    dead     = one(aws_sqs_queue.dead[*].arn)
    splat    = aws_sqs_queue.dead.*.arn
    values   = values(aws_sqs_queue.this)[*].arn
    pitr     = aws_dynamodb_table.this.point_in_time_recovery[0].enabled
    secret   = ephemeral.aws_secretsmanager_secret_version.this.secret_string
    path     = "${path.module}/${terraform.workspace}"
    locals = [local.grouped, local.negative, local.nested, local.legacy, local.fallback, local.select,
    local.directives, local.perhaps, local.long, local.heredoc, local.json]
    function = provider::aws::arn_parse(aws_kms_key.this.arn)
  }

  precondition {
    condition     = length(var.zones) > 0
    error_message = "At least one zone."
  }
}

resource "terraform_data" "farewell" {
  provisioner "local-exec" {
    when       = destroy
    on_failure = continue
    command    = "echo ${self.id}"
  }
}

# What an apply needs of AWS, by module.
#
# named    services whose resources carry the environment's name prefix in their ARN: the whole service, on those
#          resources only.
# regional actions that know no such ARN (EC2's networks, CloudFront, API Gateway): on every resource, in the
#          environment's regions and us-east-1, where CloudFront's WAF, certificates and logs live.
#
# Whole services ("dynamodb:*") rather than lists: an apply creates, reads, changes, tags and deletes, which is most of a
# service, and a list that lags behind the provider fails in the middle of an apply. What bounds the role is the prefix,
# the region, the GitHub environment's approval, and the denials in apply.tf. A role that may write the policies of roles
# can widen itself through them: keep production in an account of its own.

locals {
  named = {
    "assets"        = ["logs", "s3"]
    "audit"         = ["cloudtrail", "logs", "s3"]
    "backup"        = ["backup", "sns"]
    "cache"         = ["elasticache", "logs", "secretsmanager"]
    "documentdb"    = ["logs", "rds", "secretsmanager"]
    "dynamodb"      = ["dynamodb"]
    "failover"      = ["cloudwatch", "sns"]
    "function"      = ["ecr", "lambda", "logs", "scheduler", "secretsmanager"]
    "http-api"      = ["lambda", "logs", "secretsmanager", "wafv2"]
    "key"           = []
    "monitoring"    = ["budgets", "cloudwatch", "s3", "sns"]
    "network"       = ["logs"]
    "queue"         = ["sqs"]
    "rds-postgres"  = ["logs", "rds", "secretsmanager"]
    "rds-proxy"     = ["logs", "rds"]
    "service"       = ["ecr", "ecs", "elasticloadbalancing", "logs", "scheduler", "secretsmanager"]
    "websocket-api" = ["logs"]
  }

  # Where a service's ARNs hold the name, after the account. PREFIX stands for the environment's (some names are the prefix alone), SHORT for its beginning: a
  # load balancer's name is cut (service module).
  patterns = {
    "backup"               = ["backup-vault:PREFIX*"]
    "budgets"              = ["budget/PREFIX*"]
    "cloudtrail"           = ["trail/PREFIX*"]
    "cloudwatch"           = ["alarm:PREFIX*", "dashboard/PREFIX*"]
    "dynamodb"             = ["table/PREFIX*"]
    "ecr"                  = ["repository/PREFIX*"]
    "ecs"                  = ["*/PREFIX*"]
    "elasticache"          = ["*:PREFIX*"]
    "elasticloadbalancing" = ["*/SHORT*"]
    "lambda"               = ["function:PREFIX*"]
    "logs"                 = ["log-group:*PREFIX*", "delivery-source:PREFIX*", "delivery-destination:PREFIX*"]
    "rds"                  = ["*:PREFIX*", "og:default:*"] # an instance joins its engine's default option group
    "s3"                   = ["PREFIX*"]
    "scheduler"            = ["schedule/*/PREFIX*"]
    "secretsmanager"       = ["secret:PREFIX*", "secret:rds!*"] # RDS names the secrets it keeps itself
    "sns"                  = ["PREFIX*"]
    "sqs"                  = ["PREFIX*"]
    "wafv2"                = ["*/webacl/PREFIX*"]
  }

  domain = ["acm:*", "route53:*"] # records and certificates: a hosted zone's ARN holds no name

  regional = {
    "assets"        = concat(local.domain, ["cloudfront:*", "logs:*Delivery*"])
    "audit"         = ["cloudtrail:DescribeTrails", "config:*"]
    "backup"        = ["backup:*", "backup-storage:MountCapsule"]
    "cache"         = ["elasticache:Describe*", "ec2:*SecurityGroup*", "logs:*LogDelivery*", "logs:*ResourcePolic*"]
    "documentdb"    = ["rds:Describe*", "ec2:*SecurityGroup*"]
    "dynamodb"      = ["application-autoscaling:*"]
    "failover"      = local.domain
    "function"      = ["ec2:*SecurityGroup*", "lambda:*EventSourceMapping*"]
    "http-api"      = concat(local.domain, ["apigateway:*", "cloudfront:*", "logs:*LogDelivery*", "logs:*ResourcePolic*", "wafv2:*"])
    "key"           = ["kms:CreateAlias", "kms:CreateKey", "kms:DeleteAlias", "kms:*KeyRotation*", "kms:PutKeyPolicy", "kms:ReplicateKey", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:Update*"]
    "monitoring"    = ["cloudwatch:ListDashboards"]
    "network"       = ["ec2:*", "logs:*LogDelivery*", "ssm:GetParameter"]
    "queue"         = []
    "rds-postgres"  = ["rds:Describe*", "ec2:*SecurityGroup*"]
    "rds-proxy"     = ["rds:*DBProxy*", "rds:*Tag*", "ec2:*SecurityGroup*"]
    "service"       = concat(local.domain, ["application-autoscaling:*", "ecr:GetAuthorizationToken", "ecs:*TaskDefinition*", "elasticloadbalancing:Describe*", "ec2:*SecurityGroup*", "wafv2:*WebACL*"])
    "websocket-api" = concat(local.domain, ["apigateway:*"])
  }

  # What any module reads on its way.
  read = ["ec2:Describe*", "kms:Describe*", "kms:Get*", "kms:List*", "logs:Describe*", "logs:ListTagsForResource", "tag:GetResources"]

  environment_services = { for name, environment in var.environments : name => sort(distinct(flatten([for m in environment.modules : local.named[m]]))) }
  environment_regional = { for name, environment in var.environments : name => sort(distinct(concat(local.read, flatten([for m in environment.modules : local.regional[m]])))) }
}

data "aws_iam_policy_document" "apply" {
  #checkov:skip=CKV_AWS_107:it sets secrets, those of the environment's prefix
  #checkov:skip=CKV_AWS_108:what it may read is bound by the environment's prefix; the plan role, which pull requests use, reads no data
  #checkov:skip=CKV_AWS_109:it makes roles, under the environment's prefix only and never its own (apply.tf)
  #checkov:skip=CKV_AWS_110:whoever writes roles' policies can widen them; the account, the prefix and the approval are the boundary
  #checkov:skip=CKV_AWS_111:regional actions know no ARN with a name; see the top of this file
  #checkov:skip=CKV_AWS_356:regional actions know no ARN with a name; see the top of this file
  #checkov:skip=CKV2_AWS_40:IAM actions are listed one by one below
  for_each = var.environments

  dynamic "statement" {
    for_each = local.environment_services[each.key]

    content {
      sid     = "Named${title(statement.value)}"
      actions = ["${statement.value}:*"]
      resources = [
        for pattern in local.patterns[statement.value] :
        join(":", concat(
          ["arn", local.partition, statement.value],
          statement.value == "s3" ? ["", ""] : ["*", local.account],
          [replace(replace(pattern, "PREFIX", each.value.name_prefix), "SHORT", substr(each.value.name_prefix, 0, 18))],
        ))
      ]
    }
  }

  # Reason for every resource: see the top of this file. The region bounds it.
  statement {
    sid       = "Regional"
    actions   = local.environment_regional[each.key]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = sort(distinct(concat(each.value.regions, ["us-east-1"])))
    }
  }

  # Encrypting what it makes: AWS's services ask for this in the caller's name, and only they may.
  statement {
    sid       = "KeysThroughServices"
    actions   = ["kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
    resources = ["arn:${local.partition}:kms:*:${local.account}:key/*"]

    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = ["*.amazonaws.com"]
    }
  }

  statement {
    sid = "Roles"
    actions = [
      "iam:AttachRolePolicy",
      "iam:CreateRole",
      "iam:DeleteRole",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole",
      "iam:ListRolePolicies",
      "iam:ListRoleTags",
      "iam:PutRolePolicy",
      "iam:TagRole",
      "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateRole",
      "iam:UpdateRoleDescription",
    ]
    resources = ["arn:${local.partition}:iam::${local.account}:role/${each.value.name_prefix}*"]
  }

  statement {
    sid       = "HandRolesToServices"
    actions   = ["iam:PassRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/${each.value.name_prefix}*"]

    condition {
      test     = "StringLike"
      variable = "iam:PassedToService"
      values   = ["*.amazonaws.com"] # services only, never another account
    }
  }

  # The NAT instance's profile.
  statement {
    sid = "InstanceProfiles"
    actions = [
      "iam:AddRoleToInstanceProfile",
      "iam:CreateInstanceProfile",
      "iam:DeleteInstanceProfile",
      "iam:GetInstanceProfile",
      "iam:RemoveRoleFromInstanceProfile",
      "iam:TagInstanceProfile",
      "iam:UntagInstanceProfile",
    ]
    resources = ["arn:${local.partition}:iam::${local.account}:instance-profile/${each.value.name_prefix}*"]
  }

  # AWS's services make these roles for themselves when they are first used in an account.
  statement {
    sid       = "ServiceLinkedRoles"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/*"]
  }
}

# An account as teams keep one: people in groups, a service with a role behind a boundary. var.team changes everything that can change in
# place.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  skip_region_validation  = true
}

variable "team" { default = "blue" }

data "aws_caller_identity" "me" {}

output "caller" { value = data.aws_caller_identity.me.arn }

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.app.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [var.team]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["iam:Get*", "iam:List*"]
    resources = ["arn:aws:iam::111122223333:user/$${aws:PrincipalTag/Team}/*", "arn:aws:iam::111122223333:role/${var.team}/*"]
  }
}

resource "aws_iam_policy" "boundary" {
  name        = "boundary"
  path        = "/limits/"
  description = "what services may do at most"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["iam:Get*", "iam:List*", "sts:*"], Resource = "*" }]
  })
  tags = { Team = var.team }
}

resource "aws_iam_policy" "read" {
  name   = "read"
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_user" "app" {
  name                 = "app"
  path                 = "/services/"
  permissions_boundary = aws_iam_policy.boundary.arn
  tags                 = { Team = var.team }
}

resource "aws_iam_user" "ann" {
  name = "ann"
  path = "/${var.team}/"
}

resource "aws_iam_access_key" "app" {
  user = aws_iam_user.app.name
}

resource "aws_iam_user_policy" "app" {
  name = "assume"
  user = aws_iam_user.app.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Resource = "arn:aws:iam::111122223333:role/${var.team}/*" }]
  })
}

resource "aws_iam_user_policy_attachment" "app" {
  user       = aws_iam_user.app.name
  policy_arn = aws_iam_policy.read.arn
}

resource "aws_iam_group" "people" {
  name = "people"
  path = "/${var.team}/"
}

resource "aws_iam_group" "admins" {
  name = "admins"
}

resource "aws_iam_group_policy" "people" {
  name   = "self"
  group  = aws_iam_group.people.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["iam:GetUser"], Resource = "arn:aws:iam::*:user/${var.team}/$${aws:username}" }] })
}

resource "aws_iam_group_policy_attachment" "admins" {
  group      = aws_iam_group.admins.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_user_group_membership" "ann" {
  user   = aws_iam_user.ann.name
  groups = var.team == "blue" ? [aws_iam_group.people.name] : [aws_iam_group.people.name, aws_iam_group.admins.name]
}

resource "aws_iam_role" "app" {
  name                 = "app"
  path                 = "/services/"
  description          = "for team ${var.team}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = aws_iam_policy.boundary.arn
  max_session_duration = var.team == "blue" ? 3600 : 7200
  tags                 = { Team = var.team }
}

resource "aws_iam_role_policy" "app" {
  name = "read"
  role = aws_iam_role.app.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["iam:GetRole"], Resource = "*", Condition = { StringEquals = { "aws:ResourceTag/Team" = var.team } } }]
  })
}

resource "aws_iam_role_policy_attachment" "app" {
  role       = aws_iam_role.app.name
  policy_arn = aws_iam_policy.read.arn
}

resource "aws_iam_group_membership" "everyone" {
  name  = "everyone"
  group = aws_iam_group.everyone.name
  users = var.team == "blue" ? [aws_iam_user.app.name] : [aws_iam_user.app.name, aws_iam_user.ann.name]
}

resource "aws_iam_group" "everyone" {
  name = "everyone"
}

resource "aws_iam_account_alias" "this" {
  account_alias = "terraformed"
}

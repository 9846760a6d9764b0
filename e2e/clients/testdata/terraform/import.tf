# Takes over what main.tf made, as somebody does who has lost the state. aws_iam_group_membership has no import.

import {
  to = aws_iam_policy.boundary
  id = "arn:aws:iam::111122223333:policy/limits/boundary"
}
import {
  to = aws_iam_policy.read
  id = "arn:aws:iam::111122223333:policy/read"
}
import {
  to = aws_iam_user.app
  id = "app"
}
import {
  to = aws_iam_user.ann
  id = "ann"
}
import {
  to = aws_iam_access_key.app
  id = var.key
}
import {
  to = aws_iam_user_policy.app
  id = "app:assume"
}
import {
  to = aws_iam_user_policy_attachment.app
  id = "app/arn:aws:iam::111122223333:policy/read"
}
import {
  to = aws_iam_group.people
  id = "people"
}
import {
  to = aws_iam_group.admins
  id = "admins"
}
import {
  to = aws_iam_group.everyone
  id = "everyone"
}
import {
  to = aws_iam_group_policy.people
  id = "people:self"
}
import {
  to = aws_iam_group_policy_attachment.admins
  id = "admins/arn:aws:iam::aws:policy/AdministratorAccess"
}
import {
  to = aws_iam_user_group_membership.ann
  id = "ann/people/admins"
}
import {
  to = aws_iam_role.app
  id = "app"
}
import {
  to = aws_iam_role_policy.app
  id = "app:read"
}
import {
  to = aws_iam_role_policy_attachment.app
  id = "app/arn:aws:iam::111122223333:policy/read"
}
import {
  to = aws_iam_account_alias.this
  id = "terraformed"
}

variable "key" {}

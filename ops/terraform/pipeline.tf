# GitHub proves the repository and environment of a workflow by OpenID Connect; no key is stored.
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "deploy" {
  name                 = "${local.name}-deploy"
  description          = "GitHub Actions deploying from ${var.github_repository}"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::${var.account_id}:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:${var.github_repository}:environment:${var.environment}"
        }
      }
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "deploy" {
  name = "deploy"
  role = aws_iam_role.deploy.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # These actions do not support resources.
      { Sid = "Registry", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      { Sid = "TaskDefinitions", Effect = "Allow", Action = ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"], Resource = "*" },
      {
        Sid    = "PushImage"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages", "ecr:DescribeImageScanFindings",
          "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:StartImageScan", "ecr:UploadLayerPart",
        ]
        Resource = local.arn.repository
      },
      { Sid = "Service", Effect = "Allow", Action = ["ecs:DescribeServices", "ecs:UpdateService"], Resource = local.arn.service },
      {
        Sid       = "Migrate"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${local.arn.task_definition}/${local.name}-migrate:*"
        Condition = { ArnEquals = { "ecs:cluster" = local.arn.cluster } }
      },
      {
        Sid       = "WatchTasks"
        Effect    = "Allow"
        Action    = "ecs:DescribeTasks"
        Resource  = "arn:aws:ecs:${var.region}:${var.account_id}:task/${local.name}/*"
        Condition = { ArnEquals = { "ecs:cluster" = local.arn.cluster } }
      },
      { Sid = "ReadMigrationLog", Effect = "Allow", Action = "logs:GetLogEvents", Resource = "${local.arn.log_group}:/newsintel/${var.environment}/migrate:*" },
      {
        Sid       = "HandRolesToTasks"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [local.arn.execution_role, local.arn.migrate_role, local.arn.ops_role, local.arn.task_role]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}

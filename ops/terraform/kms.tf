locals {
  # One key for each kind of data: a right to read one kind gives no access to another.
  keys = {
    data    = { description = "the database and the cache at rest", statements = [] }
    images  = { description = "container images", statements = [] }
    secrets = { description = "Secrets Manager", statements = [local.tasks_decrypt_secrets] }
    logs    = { description = "CloudWatch logs", statements = [local.logs_encrypt] }
    alarms  = { description = "alarm notifications", statements = [local.alarms_encrypt] }
  }

  account_administers = {
    Sid       = "AccountAdministers"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }

  tasks_decrypt_secrets = {
    Sid       = "TasksDecryptSecrets"
    Effect    = "Allow"
    Principal = { AWS = [local.arn.execution_role, local.arn.migrate_role] }
    Action    = "kms:Decrypt"
    Resource  = "*"
    Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
  }

  logs_encrypt = {
    Sid       = "LogsEncrypt"
    Effect    = "Allow"
    Principal = { Service = "logs.${var.region}.amazonaws.com" }
    Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
    Resource  = "*"
    Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "${local.arn.log_group}:*" } }
  }

  alarms_encrypt = {
    Sid       = "AlarmsEncrypt"
    Effect    = "Allow"
    Principal = { Service = ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"] }
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = "*"
    Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
  }
}

resource "aws_kms_key" "main" {
  for_each = local.keys

  description             = "newsintel ${var.environment}: ${each.value.description}"
  enable_key_rotation     = true
  rotation_period_in_days = 365
  deletion_window_in_days = 30

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.account_administers], each.value.statements)
  })

  # A key policy can name only existing roles.
  depends_on = [aws_iam_role.execution, aws_iam_role.migrate]
}

resource "aws_kms_alias" "main" {
  for_each = local.keys

  name          = "alias/${local.name}-${each.key}"
  target_key_id = aws_kms_key.main[each.key].key_id
}

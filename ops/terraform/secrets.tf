# Every secret, with the fields of its JSON. No secret is in the state. Terraform generates its own
# secrets in every run and writes them only if their version was raised. Secrets from other
# providers are entered by hand (README.md).
locals {
  generated = {
    app      = 1 # secret_keys: raising it ends every session; docs/deploy.md says how to keep them
    metrics  = 1 # token
    database = 1 # url, password: then run the migration task, which updates PostgreSQL, and deploy
    cache    = 1 # url, password: then deploy
  }

  # Fields by secret, of the secrets in use.
  provided = merge(
    { for source, fields in local.source_fields : source => fields if contains(var.sources, source) },
    var.oidc == null ? {} : { oidc = ["client_secret"] },
  )

  source_fields = {
    newsapi  = ["key"]
    guardian = ["key"]
    reddit   = ["client_id", "client_secret"]
  }
}

resource "aws_secretsmanager_secret" "main" {
  for_each = setunion(keys(local.generated), keys(local.provided))

  name                    = "newsintel/${var.environment}/${each.key}"
  description             = "newsintel ${var.environment}: ${each.key}"
  kms_key_id              = aws_kms_key.main["secrets"].arn
  recovery_window_in_days = 30
}

ephemeral "aws_secretsmanager_random_password" "main" {
  for_each = local.generated

  password_length     = 48
  exclude_punctuation = true # passwords are parts of URLs

  # Not used. The dependency makes Terraform call AWS only after the secret exists, so that an empty
  # account can be planned without any call.
  exclude_characters = substr(aws_secretsmanager_secret.main[each.key].arn, 0, 0)
}

locals {
  # 32 bytes in base64url (NEWSINTEL_SECRET_KEYS). The bytes are letters and digits: 190 bits.
  secret_key = replace(replace(
    base64encode(substr(ephemeral.aws_secretsmanager_random_password.main["app"].random_password, 0, 32)),
  "+", "-"), "/", "_")

  documents = {
    app     = { secret_keys = local.secret_key }
    metrics = { token = ephemeral.aws_secretsmanager_random_password.main["metrics"].random_password }
    database = {
      url      = "postgresql://${local.database_role}@${aws_db_instance.main.address}:5432/${local.database_name}?sslmode=verify-full"
      password = ephemeral.aws_secretsmanager_random_password.main["database"].random_password
    }
    cache = {
      url      = "rediss://${local.cache_user}@${aws_elasticache_replication_group.main.primary_endpoint_address}:6379/0"
      password = ephemeral.aws_secretsmanager_random_password.main["cache"].random_password
    }
  }
}

resource "aws_secretsmanager_secret_version" "generated" {
  for_each = local.generated

  secret_id                = aws_secretsmanager_secret.main[each.key].id
  secret_string_wo         = jsonencode(local.documents[each.key])
  secret_string_wo_version = each.value
}

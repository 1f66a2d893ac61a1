# Every secret, with the fields of its JSON. No secret is in the state. Terraform generates our own
# passwords and keys in every run, and writes them only if their version was raised. Secrets from
# other providers are entered by hand (README.md).
locals {
  generated = {
    app      = 1 # secret_keys: raising it ends every session; docs/deploy.md says how to keep them
    metrics  = 1 # token
    database = 1 # password: then run the migration task, which updates PostgreSQL, and deploy
    cache    = 1 # password: then deploy
  }

  # Fields by secret. Every secret exists, whether it is in use or not: a running revision of the
  # service still names the secret of a source that has just been taken out of var.sources.
  provided = {
    newsapi  = ["key"]
    guardian = ["key"]
    reddit   = ["client_id", "client_secret"]
    oidc     = ["client_secret"]
  }

  used = setunion(var.sources, var.oidc == null ? [] : ["oidc"])
}

resource "aws_secretsmanager_secret" "main" {
  for_each = setunion(keys(local.generated), keys(local.provided), ["addresses"])

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
    app      = { secret_keys = local.secret_key }
    metrics  = { token = ephemeral.aws_secretsmanager_random_password.main["metrics"].random_password }
    database = { password = ephemeral.aws_secretsmanager_random_password.main["database"].random_password }
    cache    = { password = ephemeral.aws_secretsmanager_random_password.main["cache"].random_password }
  }
}

# They depend on nothing but their secrets, so they are written before anything uses them. Each run
# has other random values. Whatever needs one reads it from the secret (below), or a run that fails
# between the two leaves different values in the two places.
resource "aws_secretsmanager_secret_version" "generated" {
  for_each = local.generated

  secret_id                = aws_secretsmanager_secret.main[each.key].id
  secret_string_wo         = jsonencode(local.documents[each.key])
  secret_string_wo_version = each.value
}

# The cache's password as it is in its secret. version_id is unknown until the secret is written, so
# Terraform does not read an empty secret.
ephemeral "aws_secretsmanager_secret_version" "cache" {
  secret_id  = aws_secretsmanager_secret.main["cache"].id
  version_id = aws_secretsmanager_secret_version.generated["cache"].version_id
}

# The stores' addresses are not secret. They are in a secret so that the task definition has only
# values known before creation, and can be checked.
resource "aws_secretsmanager_secret_version" "addresses" {
  secret_id = aws_secretsmanager_secret.main["addresses"].id
  secret_string_wo = jsonencode({
    database = "postgresql://${local.database_role}@${aws_db_instance.main.address}:5432/${local.database_name}?sslmode=verify-full"
    cache    = "rediss://${local.cache_user}@${aws_elasticache_replication_group.main.primary_endpoint_address}:6379/0"
  })
  secret_string_wo_version = 1 # raise it if an address changes
}

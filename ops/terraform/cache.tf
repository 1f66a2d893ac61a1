locals {
  cache_user = "newsintel"

  # The service's rights in its cache: read, write, expire, count, transactions and TIME. No
  # scripts, no pub/sub, no blocking commands but XREADGROUP, which the service never lets block,
  # and no commands that inspect or change the server. A test runs the service with these rights
  # (tests/storage/test_deployed_rights.py).
  cache_access = "on ~* -@all +@read +@write +@transaction +@connection +time -@admin -@dangerous -@scripting -@pubsub -@blocking +xreadgroup"
}

resource "aws_elasticache_subnet_group" "main" {
  name        = local.name
  description = "The data subnets, which have no way out"
  subnet_ids  = [for subnet in aws_subnet.data : subnet.id]
}

resource "aws_elasticache_parameter_group" "main" {
  name        = "${local.name}-valkey8"
  description = "newsintel ${var.environment}"
  family      = "valkey8"

  # Every value expires but the spool. When memory is full, the value that expires first is evicted
  # first, and the spool is never evicted.
  parameter {
    name  = "maxmemory-policy"
    value = "volatile-ttl"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_user" "service" {
  user_id              = "${local.name}-service"
  user_name            = local.cache_user
  engine               = "valkey"
  access_string        = local.cache_access
  passwords_wo         = jsondecode(ephemeral.aws_secretsmanager_secret_version.cache.secret_string).password
  passwords_wo_version = local.generated.cache
}

resource "aws_elasticache_user_group" "main" {
  user_group_id = local.name
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.service.user_id]
}

resource "aws_elasticache_replication_group" "main" {
  replication_group_id = local.name
  description          = "newsintel ${var.environment}: answers that can be fetched again"
  engine               = "valkey"
  engine_version       = "8.1"
  node_type            = var.cache_node_type
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.main.name

  num_cache_clusters         = var.multi_az ? 2 : 1
  multi_az_enabled           = var.multi_az
  automatic_failover_enabled = var.multi_az

  subnet_group_name  = aws_elasticache_subnet_group.main.name
  security_group_ids = [aws_security_group.cache.id]
  user_group_ids     = [aws_elasticache_user_group.main.user_group_id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.main["data"].arn

  snapshot_retention_limit   = 0
  auto_minor_version_upgrade = true
  apply_immediately          = false
  maintenance_window         = "sun:05:00-sun:06:00"
  notification_topic_arn     = aws_sns_topic.cache_events.arn

  dynamic "log_delivery_configuration" {
    for_each = toset(["slow-log", "engine-log"])

    content {
      log_type         = log_delivery_configuration.key
      log_format       = "json"
      destination_type = "cloudwatch-logs"
      destination      = aws_cloudwatch_log_group.main["cache-${log_delivery_configuration.key}"].name
    }
  }
}

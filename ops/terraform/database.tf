resource "aws_db_subnet_group" "main" {
  name        = local.name
  description = "The data subnets, which have no way out"
  subnet_ids  = [for subnet in aws_subnet.data : subnet.id]
}

resource "aws_db_parameter_group" "main" {
  name_prefix = "${local.name}-"
  description = "newsintel ${var.environment}"
  family      = "postgres18"

  parameter {
    name         = "max_connections"
    value        = tostring(local.database_connections)
    apply_method = "pending-reboot"
  }

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # Log schema changes and statements over one second; never people's search terms.
  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  parameter {
    name  = "log_connections"
    value = "receipt,authentication,authorization"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "main" {
  identifier     = local.name
  engine         = "postgres"
  engine_version = "18"
  instance_class = var.database_instance_class
  db_name        = local.database_name

  # The owner of the schema, used only by migrations. RDS creates, stores and rotates its password.
  username                      = local.database_owner
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.main["secrets"].arn

  storage_type          = "gp3"
  allocated_storage     = var.database_storage_gib
  max_allocated_storage = 5 * var.database_storage_gib
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.main["data"].arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = false
  port                   = 5432
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  parameter_group_name   = aws_db_parameter_group.main.name

  backup_retention_period   = var.database_backup_days
  backup_window             = "02:00-03:00"
  maintenance_window        = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = false
  final_snapshot_identifier = "${local.name}-final"

  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = false
  apply_immediately           = false

  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = aws_kms_key.main["data"].arn
  performance_insights_retention_period = 7
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.database_monitoring.arn

  # RDS would create the log groups itself, unencrypted and without expiry.
  depends_on = [aws_cloudwatch_log_group.main]
}

resource "aws_db_event_subscription" "main" {
  name             = local.name
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = [aws_db_instance.main.identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "recovery"]
}

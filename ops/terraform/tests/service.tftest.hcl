# What policies over a plan cannot check: references, and values known only after creation.

variables {
  region            = "eu-west-1"
  account_id        = "111122223333"
  domain_name       = "news.example.org"
  hosted_zone_id    = "Z0123456789ABCDEFGHIJ"
  github_repository = "example/newsintel"
  alarm_email       = "operators@example.org"
  image_tag         = "0123456789abcdef0123456789abcdef01234567"
  reddit_user_agent = "linux:newsintel:0.1 (by /u/example)"
}

override_resource {
  target          = aws_db_instance.main
  override_during = plan
  values = {
    address            = "db.example.internal"
    master_user_secret = [{ kms_key_id = "key", secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db-1-abcdef", secret_status = "active" }]
  }
}

override_resource {
  target          = aws_kms_key.main["data"]
  override_during = plan
  values          = { arn = "data-key", key_id = "data-key" }
}

override_resource {
  target          = aws_kms_key.main["logs"]
  override_during = plan
  values          = { arn = "logs-key", key_id = "logs-key" }
}

override_resource {
  target          = aws_kms_key.main["secrets"]
  override_during = plan
  values          = { arn = "secrets-key", key_id = "secrets-key" }
}

override_resource {
  target          = aws_kms_key.main["images"]
  override_during = plan
  values          = { arn = "images-key", key_id = "images-key" }
}

override_resource {
  target          = aws_kms_key.main["alarms"]
  override_during = plan
  values          = { arn = "alarms-key", key_id = "alarms-key" }
}

override_resource {
  target          = aws_sns_topic.alarms
  override_during = plan
  values          = { arn = "alarms-topic" }
}

override_resource {
  target          = aws_lb.main
  override_during = plan
  values          = { arn = "balancer", arn_suffix = "app/newsintel-production/1", dns_name = "balancer.example.internal", zone_id = "Z1" }
}

override_resource {
  target          = aws_security_group.service
  override_during = plan
  values          = { id = "sg-service" }
}

override_resource {
  target          = aws_security_group.balancer
  override_during = plan
  values          = { id = "sg-balancer" }
}

override_resource {
  target          = aws_route_table.data
  override_during = plan
  values          = { id = "routes-data" }
}

override_resource {
  target          = aws_subnet.data
  override_during = plan
  values          = { id = "subnet-data" }
}

override_resource {
  target          = aws_subnet.private
  override_during = plan
  values          = { id = "subnet-private" }
}

run "the_service_is_told" {
  command = plan

  assert {
    condition = {
      for entry in jsondecode(aws_ecs_task_definition.service.container_definitions)[0].environment : entry.name => entry.value
      } == {
      NEWSINTEL_ENV               = "production"
      NEWSINTEL_BIND              = "0.0.0.0:8000"
      NEWSINTEL_PUBLIC_URL        = "https://news.example.org"
      NEWSINTEL_TRUSTED_PROXIES   = "10.20.0.0/24,10.20.1.0/24,10.20.2.0/24"
      NEWSINTEL_DATABASE_POOL     = "10"
      NEWSINTEL_SOURCES           = "newsapi,guardian,reddit"
      NEWSINTEL_SIGN_IN           = "anyone"
      NEWSINTEL_LOG_FORMAT        = "emf"
      NEWSINTEL_DRAIN_S           = "20"
      NEWSINTEL_REDDIT_USER_AGENT = "linux:newsintel:0.1 (by /u/example)"
    }
    error_message = "the service's environment differs from the expected one"
  }

  assert {
    condition     = tolist([for subnet in aws_subnet.public : subnet.cidr_block]) == split(",", local.environment.NEWSINTEL_TRUSTED_PROXIES)
    error_message = "the trusted proxies must be exactly the load balancer's subnets"
  }

  assert {
    condition     = length(jsondecode(aws_ecs_task_definition.service.container_definitions)[0].secrets) == 10
    error_message = "without OIDC ten settings come from secrets"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.service.container_definitions)[0].command == ["serve"]
    error_message = "the service's command must be serve"
  }
}

run "sources_that_are_off_are_not_injected" {
  command = plan

  variables {
    sources           = ["guardian"]
    reddit_user_agent = ""
  }

  assert {
    condition     = !anytrue([for entry in jsondecode(aws_ecs_task_definition.service.container_definitions)[0].secrets : strcontains(entry.name, "REDDIT") || strcontains(entry.name, "NEWSAPI")])
    error_message = "tasks cannot start with an empty secret"
  }

  assert {
    condition     = toset(keys(aws_secretsmanager_secret.main)) == toset(["addresses", "app", "cache", "database", "guardian", "metrics", "newsapi", "oidc", "reddit"])
    error_message = "every secret exists: a running revision still names the secret of a source that was taken out"
  }

  assert {
    condition     = alltrue([for source in ["newsapi", "reddit"] : contains(jsondecode(aws_iam_role_policy.execution.policy).Statement[3].Resource, "arn:aws:secretsmanager:eu-west-1:111122223333:secret:newsintel/production/${source}-??????")])
    error_message = "a running revision can still be started after its source was taken out"
  }

  assert {
    condition     = output.secrets_to_fill == { "newsintel/production/guardian" = ["key"] }
    error_message = "only the secrets in use must be filled"
  }
}

run "the_migration_runs_as_the_owner" {
  command = plan

  assert {
    condition     = jsondecode(aws_ecs_task_definition.migrate.container_definitions)[0].command == ["newsintel", "migrate"]
    error_message = "the migration's command"
  }

  assert {
    condition = contains(jsondecode(aws_ecs_task_definition.migrate.container_definitions)[0].secrets, {
      name = "NEWSINTEL_MIGRATE_DATABASE_PASSWORD", valueFrom = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db-1-abcdef:password::"
    })
    error_message = "the owner's password is one field of RDS's own secret"
  }

  assert {
    condition = contains(jsondecode(aws_ecs_task_definition.migrate.container_definitions)[0].environment, {
      name = "NEWSINTEL_MIGRATE_DATABASE_URL", value = "postgresql://newsintel_owner@db.example.internal:5432/newsintel?sslmode=verify-full"
    })
    error_message = "the owner's address checks the server's certificate"
  }

  assert {
    condition = alltrue([for key in ["user", "privileged", "readonlyRootFilesystem", "linuxParameters"] :
      jsondecode(aws_ecs_task_definition.migrate.container_definitions)[0][key] == jsondecode(aws_ecs_task_definition.service.container_definitions)[0][key]
    ])
    error_message = "a migration must have the same restrictions as the service"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.migrate_owner.policy).Statement[0] == {
      Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db-1-abcdef"
    }
    error_message = "the migration's role reads the owner's secret by its exact name"
  }

  assert {
    condition     = !strcontains(aws_ecs_task_definition.service.container_definitions, "rds!db") && !strcontains(aws_iam_role_policy.execution.policy, "rds!db")
    error_message = "the service must not have access to the owner's password"
  }
}

run "operators_run_commands" {
  command = plan

  assert {
    condition = {
      for container in jsondecode(aws_ecs_task_definition.ops.container_definitions) : container.name => [for each in try(container.dependsOn, []) : "${each.containerName} ${each.condition}"]
    } == { fetch = [], newsintel = ["fetch SUCCESS"], store = ["newsintel SUCCESS"] }
    error_message = "files are fetched before the command, and stored only if it succeeded"
  }

  assert {
    condition = alltrue([for key in ["environment", "secrets", "image"] :
      jsondecode(aws_ecs_task_definition.ops.container_definitions)[1][key] == jsondecode(aws_ecs_task_definition.service.container_definitions)[0][key]
    ])
    error_message = "a command has the service's settings"
  }

  assert {
    condition = alltrue([for container in jsondecode(aws_ecs_task_definition.ops.container_definitions) :
      !container.privileged && container.readonlyRootFilesystem && container.linuxParameters.capabilities == { drop = ["ALL"] }
    ])
    error_message = "a command must have the same restrictions as the service"
  }
}

run "three_zones" {
  command = plan

  assert {
    condition = alltrue([for subnets in [aws_subnet.public, aws_subnet.private, aws_subnet.data] :
      toset([for subnet in subnets : subnet.availability_zone]) == toset(["eu-west-1a", "eu-west-1b", "eu-west-1c"])
    ])
    error_message = "each tier must have a subnet in each of three zones"
  }
}

run "keys_are_ours" {
  command = plan

  assert {
    condition     = aws_db_instance.main.kms_key_id == "data-key" && aws_db_instance.main.performance_insights_kms_key_id == "data-key"
    error_message = "the database is encrypted with the key for data"
  }

  assert {
    condition     = aws_db_instance.main.master_user_secret_kms_key_id == "secrets-key"
    error_message = "the owner's secret is encrypted with the key for secrets"
  }

  assert {
    condition     = aws_elasticache_replication_group.main.kms_key_id == "data-key"
    error_message = "the cache is encrypted with the key for data"
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.main : secret.kms_key_id == "secrets-key"])
    error_message = "secrets are encrypted with the key for secrets"
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.main : group.kms_key_id == "logs-key"])
    error_message = "logs are encrypted with the key for logs"
  }

  assert {
    condition     = one(aws_ecr_repository.main.encryption_configuration).kms_key == "images-key" && aws_sns_topic.alarms.kms_master_key_id == "alarms-key"
    error_message = "images and alarms are encrypted with their keys"
  }
}

run "only_the_balancer_reaches_tasks" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.service.security_group_id == "sg-service" && aws_vpc_security_group_ingress_rule.service.referenced_security_group_id == "sg-balancer"
    error_message = "tasks are reached from the load balancer's group"
  }

  assert {
    condition = alltrue([
      for rule in [aws_vpc_security_group_ingress_rule.database, aws_vpc_security_group_ingress_rule.cache, aws_vpc_security_group_ingress_rule.endpoints] :
      rule.referenced_security_group_id == "sg-service" && rule.cidr_ipv4 == null
    ])
    error_message = "stores and endpoints are reached from the tasks' group"
  }

  assert {
    condition     = aws_elasticache_replication_group.main.replication_group_id == "newsintel-production" && aws_db_instance.main.vpc_security_group_ids != null
    error_message = "names that alarms and dashboards rely on"
  }
}

run "stores_have_no_way_out" {
  command = plan

  assert {
    condition     = alltrue([for association in aws_route_table_association.data : association.route_table_id == "routes-data" && association.subnet_id == "subnet-data"])
    error_message = "the data subnets follow the table without routes"
  }

  assert {
    condition     = aws_db_subnet_group.main.subnet_ids == toset(["subnet-data"]) && aws_elasticache_subnet_group.main.subnet_ids == toset(["subnet-data"])
    error_message = "stores are in the data subnets"
  }

  assert {
    condition     = one(aws_ecs_service.main.network_configuration).subnets == toset(["subnet-private"])
    error_message = "tasks are in the private subnets"
  }
}

run "alarms_reach_people" {
  command = plan

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.main : alarm.alarm_actions == toset(["alarms-topic"])])
    error_message = "every alarm must notify the topic"
  }

  assert {
    condition     = alltrue([for key in local.deployment_alarms : contains(keys(aws_cloudwatch_metric_alarm.main), key)])
    error_message = "the deployment alarms must exist"
  }

  assert {
    condition     = toset([for source in var.sources : aws_cloudwatch_metric_alarm.main["${source}-away"].metric_name]) == toset(["source_ready_newsapi", "source_ready_guardian", "source_ready_reddit"])
    error_message = "every source has its alarm"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.main["too-few-tasks"].threshold == 2 && aws_cloudwatch_metric_alarm.main["too-few-tasks"].comparison_operator == "LessThanThreshold"
    error_message = "fewer than min_tasks tasks must raise an alarm"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.main["database-connection"].threshold == 207
    error_message = "nine tenths of 230 connections must raise an alarm"
  }
}

run "fewer_tasks_need_fewer_connections" {
  command = plan

  variables {
    max_tasks = 4
  }

  assert {
    condition     = local.database_connections == 110
    error_message = "two times 4 tasks of 10 connections, and 30"
  }
}

# Invalid values are refused with a message that names the variable.

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

run "production_needs_multi_az" {
  command = plan

  variables {
    multi_az = false
  }

  expect_failures = [var.multi_az]
}

run "production_needs_deletion_protection" {
  command = plan

  variables {
    deletion_protection = false
  }

  expect_failures = [var.deletion_protection]
}

run "production_needs_a_week_of_backups" {
  command = plan

  variables {
    database_backup_days = 6
  }

  expect_failures = [var.database_backup_days]
}

run "a_region_by_its_name" {
  command = plan

  variables {
    region = "Ireland"
  }

  expect_failures = [var.region]
}

run "an_account_by_its_number" {
  command = plan

  variables {
    account_id = "1234"
  }

  expect_failures = [var.account_id]
}

run "an_environment_that_is_known" {
  command = plan

  variables {
    environment = "prod"
  }

  expect_failures = [var.environment]
}

run "three_zones" {
  command = plan

  variables {
    zones = ["a", "b"]
  }

  expect_failures = [var.zones]
}

run "three_different_zones" {
  command = plan

  variables {
    zones = ["a", "a", "b"]
  }

  expect_failures = [var.zones]
}

run "a_network_with_room" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/24"
  }

  expect_failures = [var.vpc_cidr]
}

run "a_host_name_alone" {
  command = plan

  variables {
    domain_name = "https://news.example.org"
  }

  expect_failures = [var.domain_name]
}

run "a_hosted_zone_by_its_id" {
  command = plan

  variables {
    hosted_zone_id = "example.org"
  }

  expect_failures = [var.hosted_zone_id]
}

run "no_wildcard_repository" {
  command = plan

  variables {
    github_repository = "example/*"
  }

  expect_failures = [var.github_repository]
}

run "an_address_for_alarms" {
  command = plan

  variables {
    alarm_email = "nobody"
  }

  expect_failures = [var.alarm_email]
}

run "an_image_by_commit" {
  command = plan

  variables {
    image_tag = "latest"
  }

  expect_failures = [var.image_tag]
}

run "sources_that_exist" {
  command = plan

  variables {
    sources = ["newsapi", "bing"]
  }

  expect_failures = [var.sources]
}

run "some_source" {
  command = plan

  variables {
    sources = []
  }

  expect_failures = [var.sources]
}

run "reddit_wants_a_name" {
  command = plan

  variables {
    reddit_user_agent = ""
  }

  expect_failures = [var.reddit_user_agent]
}

run "an_oidc_issuer_over_tls" {
  command = plan

  variables {
    oidc = { issuer = "http://id.example.org", client_id = "x", label = "x" }
  }

  expect_failures = [var.oidc]
}

run "a_known_sign_in" {
  command = plan

  variables {
    sign_in = "everybody"
  }

  expect_failures = [var.sign_in]
}

run "memory_that_fargate_sells" {
  command = plan

  variables {
    task_memory_mib = 1024
  }

  expect_failures = [var.task_memory_mib]
}

run "two_tasks_at_least" {
  command = plan

  variables {
    min_tasks = 1
  }

  expect_failures = [var.min_tasks]
}

run "no_more_tasks_than_counted_for" {
  command = plan

  variables {
    max_tasks = 21
  }

  expect_failures = [var.max_tasks]
}

run "the_most_not_below_the_least" {
  command = plan

  variables {
    min_tasks = 5
    max_tasks = 4
  }

  expect_failures = [var.max_tasks]
}

run "a_rate_that_makes_sense" {
  command = plan

  variables {
    requests_per_task_per_minute = 0
  }

  expect_failures = [var.requests_per_task_per_minute]
}

run "a_database_with_memory" {
  command = plan

  variables {
    database_instance_class = "db.t4g.micro"
  }

  expect_failures = [var.database_instance_class]
}

run "storage_that_rds_sells" {
  command = plan

  variables {
    database_storage_gib = 5
  }

  expect_failures = [var.database_storage_gib]
}

run "a_known_cache_node" {
  command = plan

  variables {
    cache_node_type = "cache.t2.micro"
  }

  expect_failures = [var.cache_node_type]
}

run "logs_for_a_season" {
  command = plan

  variables {
    log_retention_days = 7
  }

  expect_failures = [var.log_retention_days]
}

run "a_budget" {
  command = plan

  variables {
    monthly_budget_usd = 0
  }

  expect_failures = [var.monthly_budget_usd]
}

run "staging_may_do_with_less" {
  command = plan

  variables {
    environment          = "staging"
    multi_az             = false
    deletion_protection  = false
    database_backup_days = 1
  }

  assert {
    condition     = !aws_db_instance.main.multi_az && aws_elasticache_replication_group.main.num_cache_clusters == 1
    error_message = "staging has no standby when it asks for none"
  }

  assert {
    condition     = !aws_db_instance.main.deletion_protection && !aws_lb.main.enable_deletion_protection
    error_message = "staging can be deleted when it asks for that"
  }
}

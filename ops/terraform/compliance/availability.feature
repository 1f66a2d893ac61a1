@noskip
Feature: The service survives the loss of a zone or a server, and operator mistakes

  Scenario: the database has a standby in another zone
    Given I have aws_db_instance defined
    Then it must contain multi_az
    And its value must match the "^true$" regex

  Scenario: the database cannot be deleted by mistake
    Given I have aws_db_instance defined
    Then it must contain deletion_protection
    And its value must match the "^true$" regex

  Scenario: the database can be restored to any second of the last two weeks
    Given I have aws_db_instance defined
    Then it must contain backup_retention_period
    And its value must be greater than 13

  Scenario: the database leaves a last snapshot
    Given I have aws_db_instance defined
    Then it must contain skip_final_snapshot
    And its value must match the "^false$" regex

  Scenario: the database's backups are kept after its deletion
    Given I have aws_db_instance defined
    Then it must contain delete_automated_backups
    And its value must match the "^false$" regex

  Scenario: changes of the database wait for its maintenance window
    Given I have aws_db_instance defined
    Then it must contain apply_immediately
    And its value must match the "^false$" regex

  Scenario: the database accepts the connections of twice max_tasks
    Given I have aws_db_parameter_group defined
    When it contains parameter
    When its name is max_connections
    Then it must contain value
    And its value must match the "^230$" regex

  Scenario: the cache has a replica
    Given I have aws_elasticache_replication_group defined
    Then it must contain num_cache_clusters
    And its value must be greater than 1

  Scenario: the cache's replica is in another zone
    Given I have aws_elasticache_replication_group defined
    Then it must contain multi_az_enabled
    And its value must match the "^true$" regex

  Scenario: the cache fails over automatically
    Given I have aws_elasticache_replication_group defined
    Then it must contain automatic_failover_enabled
    And its value must match the "^true$" regex

  Scenario: a full cache evicts the values that expire first
    Given I have aws_elasticache_parameter_group defined
    When it contains parameter
    When its name is maxmemory-policy
    Then it must contain value
    And its value must match the "^volatile-ttl$" regex

  Scenario: the load balancer cannot be deleted by mistake
    Given I have aws_lb defined
    Then it must contain enable_deletion_protection
    And its value must match the "^true$" regex

  Scenario: the load balancer closes connections before the service does
    Given I have aws_lb defined
    Then it must contain idle_timeout
    And its value must match the "^60$" regex

  Scenario: the load balancer checks /health of tasks
    Given I have aws_lb_target_group defined
    Then it must contain path
    And its value must match the "^/health$" regex

  Scenario: a deregistered task has time to finish its requests
    Given I have aws_lb_target_group defined
    Then it must contain deregistration_delay
    And its value must match the "^30$" regex

  Scenario: each zone has its own NAT gateway
    Given I have aws_nat_gateway defined
    When I count them
    Then I expect the result is equal to 3

  Scenario: there are nine subnets
    Given I have aws_subnet defined
    When I count them
    Then I expect the result is equal to 9

  Scenario: access logs cannot be overwritten
    Given I have aws_s3_bucket_versioning defined
    Then it must contain status
    And its value must match the "^Enabled$" regex

  Scenario: the log bucket cannot be deleted while it holds logs
    Given I have aws_s3_bucket defined
    Then it must contain force_destroy
    And its value must match the "^false$" regex

  Scenario: the registry cannot be deleted while it holds images
    Given I have aws_ecr_repository defined
    Then it must contain force_delete
    And its value must match the "^false$" regex

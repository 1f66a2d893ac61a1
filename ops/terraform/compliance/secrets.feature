@noskip
Feature: Secrets are read from Secrets Manager, and only by the roles that need them

  Scenario: no secret is a plain environment variable
    Given I have aws_ecs_task_definition defined
    When its family is newsintel-production
    When it contains container_definitions
    When it contains environment
    Then it must contain name
    And its value must not match the ".*(KEY|KEYS|SECRET|TOKEN|PASSWORD|DATABASE_URL|REDIS_URL|REDDIT_CLIENT_ID)$" regex

  Scenario: every secret is one field of one secret of this environment
    Given I have aws_ecs_task_definition defined
    When its family is newsintel-production
    When it contains container_definitions
    When it contains secrets
    Then it must contain valueFrom
    And its value must match the "^arn:aws:secretsmanager:eu-west-1:111122223333:secret:newsintel/production/[a-z]+:[a-z_]+::$" regex

  Scenario: RDS manages the owner's password
    Given I have aws_db_instance defined
    Then it must contain manage_master_user_password
    And its value must match the "^true$" regex

  Scenario: no secret is in the state
    Given I have aws_secretsmanager_secret_version defined
    Then it must contain secret_string
    And its value must be null

  Scenario: no password of the cache is in the state
    Given I have aws_elasticache_user defined
    Then it must contain passwords
    And its value must be null

  Scenario: the cache requires a password
    Given I have aws_elasticache_user defined
    Then it must contain no_password_required
    And its value must not match the "^true$" regex

  Scenario: a deleted secret can be restored for a month
    Given I have aws_secretsmanager_secret defined
    Then it must contain recovery_window_in_days
    And its value must match the "^30$" regex

  Scenario: image tags are immutable
    Given I have aws_ecr_repository defined
    Then it must contain image_tag_mutability
    And its value must match the "^IMMUTABLE$" regex

  Scenario: images are scanned for known vulnerabilities
    Given I have aws_ecr_repository defined
    Then it must contain scan_on_push
    And its value must match the "^true$" regex

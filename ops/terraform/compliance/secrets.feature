@noskip
Feature: Secrets are read from Secrets Manager, and only by the roles that need them

  Scenario: no secret stands in the open
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

  Scenario: RDS keeps the owner's password
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

  Scenario: the cache asks for a password
    Given I have aws_elasticache_user defined
    Then it must contain no_password_required
    And its value must not match the "^true$" regex

  Scenario: a deleted secret can be had back for a month
    Given I have aws_secretsmanager_secret defined
    Then it must contain recovery_window_in_days
    And its value must match the "^30$" regex

  Scenario: an image's tag never moves
    Given I have aws_ecr_repository defined
    Then it must contain image_tag_mutability
    And its value must match the "^IMMUTABLE$" regex

  Scenario: images are scanned for known holes
    Given I have aws_ecr_repository defined
    Then it must contain scan_on_push
    And its value must match the "^true$" regex

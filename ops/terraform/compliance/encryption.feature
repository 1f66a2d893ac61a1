@noskip
Feature: Everything stored or sent is encrypted

  Scenario: the database is encrypted at rest
    Given I have aws_db_instance defined
    Then it must contain storage_encrypted
    And its value must match the "^true$" regex

  Scenario: the database refuses connections without TLS
    Given I have aws_db_parameter_group defined
    When it contains parameter
    When its name is rds.force_ssl
    Then it must contain value
    And its value must match the "^1$" regex

  Scenario: the cache is encrypted at rest
    Given I have aws_elasticache_replication_group defined
    Then it must contain at_rest_encryption_enabled
    And its value must match the "^true$" regex

  Scenario: the cache accepts TLS
    Given I have aws_elasticache_replication_group defined
    Then it must contain transit_encryption_enabled
    And its value must match the "^true$" regex

  Scenario: the cache refuses connections without TLS
    Given I have aws_elasticache_replication_group defined
    Then it must contain transit_encryption_mode
    And its value must match the "^required$" regex

  Scenario: images are encrypted with our own key
    Given I have aws_ecr_repository defined
    Then it must contain encryption_type
    And its value must match the "^KMS$" regex

  Scenario: access logs are encrypted
    Given I have aws_s3_bucket_server_side_encryption_configuration defined
    Then it must contain sse_algorithm
    And its value must match the "^AES256$" regex

  Scenario: access logs are read only over TLS
    Given I have aws_s3_bucket_policy defined
    When it contains policy
    When it contains Statement
    When its Effect is Deny
    Then it must contain aws:SecureTransport
    And its value must match the "^false$" regex

  Scenario: keys are rotated
    Given I have aws_kms_key defined
    Then it must contain enable_key_rotation
    And its value must match the "^true$" regex

  Scenario: deleted keys can be restored for a month
    Given I have aws_kms_key defined
    Then it must contain deletion_window_in_days
    And its value must match the "^30$" regex

  Scenario: the load balancer uses TLS 1.2 or 1.3
    Given I have aws_lb_listener defined
    When its port is 443
    Then it must contain ssl_policy
    And its value must match the "^ELBSecurityPolicy-TLS13-1-[23]-" regex

  Scenario: port 443 serves HTTPS
    Given I have aws_lb_listener defined
    When its port is 443
    Then it must contain protocol
    And its value must match the "^HTTPS$" regex

  Scenario: port 80 redirects to HTTPS
    Given I have aws_lb_listener defined
    When its port is 80
    When it contains redirect
    Then it must contain protocol
    And its value must match the "^HTTPS$" regex

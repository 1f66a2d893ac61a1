@noskip
Feature: Only the load balancer can be reached

  Scenario: the internet reaches only ports 80 and 443
    Given I have aws_vpc_security_group_ingress_rule defined
    When its cidr_ipv4 is "[0-9].*" regex
    Then it must contain to_port
    And its value must match the "^(80|443)$" regex

  Scenario: a range of ports is never opened
    Given I have aws_vpc_security_group_ingress_rule defined
    Then it must contain from_port
    And its value must match the "^(80|443|8000|5432|6379)$" regex

  Scenario: no security group has inline inbound rules
    Given I have aws_security_group defined
    Then it must not contain ingress

  Scenario: no security group has inline outbound rules
    Given I have aws_security_group defined
    Then it must not contain egress

  Scenario: inbound rules are TCP
    Given I have aws_vpc_security_group_ingress_rule defined
    Then it must contain ip_protocol
    And its value must match the "^tcp$" regex

  Scenario: outbound rules are TCP
    Given I have aws_vpc_security_group_egress_rule defined
    Then it must contain ip_protocol
    And its value must match the "^tcp$" regex

  Scenario: connections to the internet use only port 443
    Given I have aws_vpc_security_group_egress_rule defined
    When its cidr_ipv4 is "[0-9].*" regex
    Then it must contain to_port
    And its value must match the "^443$" regex

  Scenario: no inbound rule allows IPv6
    Given I have aws_vpc_security_group_ingress_rule defined
    Then it must contain cidr_ipv6
    And its value must be null

  Scenario: the load balancer listens only on ports 80 and 443
    Given I have aws_lb_listener defined
    Then it must contain port
    And its value must match the "^(80|443)$" regex

  Scenario: the default security group allows nothing in
    Given I have aws_default_security_group defined
    Then it must not contain ingress

  Scenario: subnets assign no public addresses
    Given I have aws_subnet defined
    Then it must contain map_public_ip_on_launch
    And its value must match the "^false$" regex

  Scenario: tasks have no public address
    Given I have aws_ecs_service defined
    Then it must contain assign_public_ip
    And its value must match the "^false$" regex

  Scenario: the database has no public address
    Given I have aws_db_instance defined
    Then it must contain publicly_accessible
    And its value must match the "^false$" regex

  Scenario: the network has exactly four outbound routes
    Given I have aws_route defined
    When I count them
    Then I expect the result is equal to 4

  Scenario: AWS services are resolved inside the network
    Given I have aws_vpc_endpoint defined
    When its vpc_endpoint_type is Interface
    Then it must contain private_dns_enabled
    And its value must match the "^true$" regex

  Scenario: the S3 endpoint allows only image layers and our own bucket
    Given I have aws_vpc_endpoint defined
    When its vpc_endpoint_type is Gateway
    When it contains policy
    Then it must contain Resource
    And its value must match the "^arn:aws:s3:::(prod-eu-west-1-starport-layer-bucket/\*|newsintel-production-ops-111122223333-eu-west-1(/\*)?)$" regex

  Scenario: the endpoints of AWS services are only for this account
    Given I have aws_vpc_endpoint defined
    When its vpc_endpoint_type is Interface
    When it contains policy
    Then it must contain aws:PrincipalAccount
    And its value must match the "^111122223333$" regex

  Scenario: malformed headers are dropped
    Given I have aws_lb defined
    Then it must contain drop_invalid_header_fields
    And its value must match the "^true$" regex

  Scenario: ambiguous requests are refused
    Given I have aws_lb defined
    Then it must contain desync_mitigation_mode
    And its value must match the "^strictest$" regex

  Scenario: access logs block public access lists
    Given I have aws_s3_bucket_public_access_block defined
    Then it must contain block_public_acls
    And its value must match the "^true$" regex

  Scenario: access logs block public policies
    Given I have aws_s3_bucket_public_access_block defined
    Then it must contain block_public_policy
    And its value must match the "^true$" regex

  Scenario: access logs ignore public access lists
    Given I have aws_s3_bucket_public_access_block defined
    Then it must contain ignore_public_acls
    And its value must match the "^true$" regex

  Scenario: access logs are only for this account
    Given I have aws_s3_bucket_public_access_block defined
    Then it must contain restrict_public_buckets
    And its value must match the "^true$" regex

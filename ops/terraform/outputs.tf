output "url" {
  description = "Where people find the service."
  value       = "https://${var.domain_name}"
}

output "deploy_role_arn" {
  description = "The role GitHub Actions takes on."
  value       = aws_iam_role.deploy.arn
}

output "repository" {
  description = "Where images are pushed."
  value       = aws_ecr_repository.main.repository_url
}

output "cluster" {
  description = "The ECS cluster, which has the name of the service and of its task definition's family."
  value       = aws_ecs_cluster.main.name
}

output "migrate_family" {
  description = "The family of the migration's task definition."
  value       = aws_ecs_task_definition.migrate.family
}

output "task_subnets" {
  description = "Where a migration's task runs."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "task_security_group" {
  description = "The security group of a migration's task."
  value       = aws_security_group.service.id
}

output "secrets_to_fill" {
  description = "The secrets that others hand out, with the fields each must hold before the service starts."
  value       = { for key, fields in local.provided : aws_secretsmanager_secret.main[key].name => fields }
}

output "url" {
  description = "The public URL of the service."
  value       = "https://${var.domain_name}"
}

output "deploy_role_arn" {
  description = "The role that GitHub Actions assumes."
  value       = aws_iam_role.deploy.arn
}

output "repository" {
  description = "The registry URL for images."
  value       = aws_ecr_repository.main.repository_url
}

output "cluster" {
  description = "The ECS cluster. The service and its task definition family have the same name."
  value       = aws_ecs_cluster.main.name
}

output "migrate_family" {
  description = "The task definition family of the migration."
  value       = aws_ecs_task_definition.migrate.family
}

output "ops_family" {
  description = "The task definition family of the operators' commands."
  value       = aws_ecs_task_definition.ops.family
}

output "ops_bucket" {
  description = "The bucket of the files that operators' commands read (in/) and write (out/)."
  value       = aws_s3_bucket.main["ops"].bucket
}

output "task_network" {
  description = "The network of an operator's task, as `aws ecs run-task` takes it."
  value = jsonencode({ awsvpcConfiguration = {
    subnets        = [for subnet in aws_subnet.private : subnet.id]
    securityGroups = [aws_security_group.service.id]
    assignPublicIp = "DISABLED"
  } })
}

output "secrets_to_fill" {
  description = "The secrets from other providers, with the fields that each needs before the start."
  value       = { for key in local.used : aws_secretsmanager_secret.main[key].name => local.provided[key] }
}

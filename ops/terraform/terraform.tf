terraform {
  required_version = "~> 1.11" # write-only arguments, ephemeral values: no secret in the state

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.47"
    }
  }

  # Bucket, key and region come from backend.hcl; see README.md.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

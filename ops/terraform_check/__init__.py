"""The check of ops/terraform: `python -m ops.terraform_check`, or `just terraform-check`."""

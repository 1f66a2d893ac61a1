"""Releases an image to ECS. Needs Python and the aws CLI, nothing else: the pipeline's machine has no environment of ours."""

"""Releases an image to ECS.

It needs only Python and the aws CLI, because the pipeline's machine has no virtual environment.
"""

"""What builds, deploys and drills newsintel. The service itself knows nothing of it."""

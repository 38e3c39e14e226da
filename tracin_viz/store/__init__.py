"""What is on disk: content-addressed artifacts and the workspace's database."""

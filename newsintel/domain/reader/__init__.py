"""What a feed reader shows a person: streams of articles, and which of them are read."""

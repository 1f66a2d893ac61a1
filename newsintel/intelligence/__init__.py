"""What many searches and articles together tell: pure decisions, without trio, clock or I/O."""

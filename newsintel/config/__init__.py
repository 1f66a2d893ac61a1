"""Settings: reads them from the environment, checks and explains them."""

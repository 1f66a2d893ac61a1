"""What intelligence costs, and how good it is: `just bench-intelligence`."""

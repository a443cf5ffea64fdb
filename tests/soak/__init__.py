"""The long tests: kills at every step, and at random steps and moments of thousands of random lives."""

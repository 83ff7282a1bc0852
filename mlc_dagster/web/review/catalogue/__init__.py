"""What is said of each rule and kind of difference: one entry each, held by a test over the code."""

"""The statements themselves: a module for each of the five descriptions, in its order."""

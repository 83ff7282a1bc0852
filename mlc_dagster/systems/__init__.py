"""The remote systems, one folder each; what is the same for several of them is in `shared/`."""

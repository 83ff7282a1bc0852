"""Whether a run is still executed: signs of life, lost runs, turns."""

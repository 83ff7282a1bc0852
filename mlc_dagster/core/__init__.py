"""The words of the house: records, flows, facts, outcomes, errors. Pure: no I/O, no clock, no system."""

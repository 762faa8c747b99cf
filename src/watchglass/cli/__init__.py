"""The command line: one file per group; parse, call, render."""

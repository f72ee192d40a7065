//! Resolved options of a run; knows nothing of the command line.

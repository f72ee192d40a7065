//! 5. Hypotheses become a checked translation.
